// Undo and redo of a value that is replaced, never changed in place.

/** @template T */
export class History {
    /** @param {T} value @param {number} most steps remembered */
    constructor(value, most = 100) {
        /** @type {T[]} */
        this._before = [];
        /** @type {T[]} */
        this._after = [];
        this._most = most;
        this.value = value;
    }

    /** A new value, which `undo` takes back. Equal values (as JSON) are no step. @param {T} value */
    set(value) {
        if (JSON.stringify(value) === JSON.stringify(this.value)) return;
        this._before.push(this.value);
        if (this._before.length > this._most) this._before.shift();
        this._after = [];
        this.value = value;
    }

    /** Begin anew from a value that came from elsewhere. @param {T} value */
    reset(value) {
        this._before = [];
        this._after = [];
        this.value = value;
    }

    get canUndo() {
        return this._before.length > 0;
    }

    get canRedo() {
        return this._after.length > 0;
    }

    /** @returns {T} the value as it is now */
    undo() {
        const before = this._before.pop();
        if (before === undefined) return this.value;
        this._after.push(this.value);
        return (this.value = before);
    }

    /** @returns {T} the value as it is now */
    redo() {
        const after = this._after.pop();
        if (after === undefined) return this.value;
        this._before.push(this.value);
        return (this.value = after);
    }
}
