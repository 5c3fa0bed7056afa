// The film that a node looks at: which file it is, and its frames, numbered as every node numbers them.

import { address, app, ask } from "./comfy.js";
import { origin, widget } from "./graph.js";

/** @typedef {import("./types").GraphNode} GraphNode */
/** @typedef {{file: string, first: number, frames: number | null}} FilmPlace a file, and the part of it: from its frame `first`, `frames` of them or all */
/** @typedef {{frames: number, rate: number, width: number, height: number, version: string}} FilmFacts */

/** Nodes that give a file's own frames, and the widget that names it. @type {Record<string, string>} */
const LOADERS = { LoadVideo: "file", LoadImage: "image", LoadImageOutput: "image" };
/** Nodes that hand frames on as they are, and the input they come from. @type {Record<string, string>} */
const HANDED_ON = { GetVideoComponents: "video" };

/**
 * The file behind a film input, found without running anything.
 * @param {GraphNode} node
 * @param {string} input
 * @returns {FilmPlace | null} null where frames are made on the way, so that only a run can show them
 */
export function filmPlace(node, input = "film") {
    const from = origin(node, input, app.rootGraph ?? app.graph);
    if (!from) return null;
    const kind = from.node.comfyClass ?? from.node.type;
    if (kind in LOADERS) {
        const file = widget(from.node, LOADERS[kind])?.value;
        return typeof file === "string" && file ? { file, first: 0, frames: null } : null;
    }
    return kind in HANDED_ON ? filmPlace(from.node, HANDED_ON[kind]) : null;
}

/** The frames of one film, as addresses of small pictures. */
export class FilmFrames {
    /** @param {FilmPlace} place @param {FilmFacts} facts */
    constructor(place, facts) {
        this.place = place;
        this.width = facts.width;
        this.height = facts.height;
        this.rate = facts.rate;
        this.length = Math.max(0, Math.min(place.frames ?? Infinity, facts.frames - place.first));
        this._version = facts.version;
    }

    /**
     * Ask the server about a film.
     * @param {FilmPlace} place
     * @returns {Promise<FilmFrames>} rejects with the server's sentence
     */
    static async open(place) {
        return new FilmFrames(place, await ask("film", { file: place.file }));
    }

    /** The address of frame `index`, at most `height` pixels high. @param {number} index @param {number} height */
    address(index, height) {
        const { file, first } = this.place;
        return address("frame", { file, index: first + index, height, version: this._version });
    }
}
