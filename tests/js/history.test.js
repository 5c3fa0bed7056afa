import { expect, test } from "vitest";

import { History } from "../../js/lib/history.js";

test("what was set is taken back and brought again", () => {
    const history = new History([1]);
    history.set([1, 2]);
    history.set([1, 2, 3]);
    expect(history.undo()).toEqual([1, 2]);
    expect(history.undo()).toEqual([1]);
    expect(history.undo()).toEqual([1]);
    expect(history.redo()).toEqual([1, 2]);
    history.set([9]);
    expect(history.canRedo).toBe(false);
    expect(history.undo()).toEqual([1, 2]);
});

test("an equal value is no step", () => {
    const history = new History({ frame: 1 });
    history.set({ frame: 1 });
    expect(history.canUndo).toBe(false);
});

test("only so many steps are remembered", () => {
    const history = new History(0, 3);
    for (let value = 1; value <= 10; value++) history.set(value);
    for (let step = 0; step < 9; step++) history.undo();
    expect(history.value).toBe(7);
});
