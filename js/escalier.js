// The pack's hands and eyes in ComfyUI's page: panels in its nodes. Each panel is a module of its own.

import { app } from "./lib/comfy.js";

/** @typedef {import("./lib/types").GraphNode} GraphNode */

/** What is put into a node when it is made, by the node's id. @type {Record<string, (node: GraphNode) => void>} */
const PANELS = {};

app.registerExtension({
    name: "escalier",
    nodeCreated(node) {
        PANELS[node.comfyClass ?? ""]?.(node);
    },
});
