// A piece of HTML in a node. It is never written into workflows or prompts: what it changes are the node's own widgets.

/** @typedef {import("./types").GraphNode} GraphNode */

const STYLE = `
.escalier-panel { box-sizing: border-box; width: 100%; overflow: hidden; display: flex; flex-direction: column;
  gap: 4px; font: 12px/1.35 sans-serif; color: var(--input-text, #ddd); user-select: none; }
.escalier-panel button { font: inherit; color: inherit; background: var(--comfy-input-bg, #222); border: 1px solid
  var(--border-color, #4e4e4e); border-radius: 4px; padding: 1px 7px; cursor: pointer; }
.escalier-panel button:disabled { opacity: .4; cursor: default; }
.escalier-panel :focus-visible { outline: 2px solid #6cf; outline-offset: 1px; }
.escalier-panel .escalier-bad { color: #ff8a80; }
.escalier-panel .escalier-row { display: flex; gap: 4px; align-items: center; flex-wrap: wrap; }
`;

function addStyle() {
    if (document.getElementById("escalier-style")) return;
    const style = document.createElement("style");
    style.id = "escalier-style";
    style.textContent = STYLE;
    document.head.append(style);
}

/**
 * Put a panel into a node, below its widgets, and make the node tall enough for it.
 *
 * The height is bounded in CSS as well: neither rendering of the page keeps to what a widget asks for.
 * @param {GraphNode} node
 * @param {string} name the widget's name, unlike those of the node's inputs
 * @param {number} height in CSS pixels at full zoom
 * @returns {HTMLDivElement} the empty panel
 */
export function addPanel(node, name, height) {
    addStyle();
    const panel = document.createElement("div");
    panel.className = "escalier-panel";
    panel.style.height = panel.style.minHeight = panel.style.maxHeight = `${height}px`;
    const made = node.addDOMWidget(name, "escalier_panel", panel, {
        serialize: false,
        hideOnZoom: false,
        getMinHeight: () => height,
        getMaxHeight: () => height,
    });
    made.serialize = false;
    const [width, least] = node.computeSize();
    node.setSize([Math.max(node.size[0], width), Math.max(node.size[1], least)]);
    return panel;
}

/**
 * Run work soon, once for all calls until then.
 * @param {() => void} work
 */
export function soon(work) {
    let waiting = false;
    return () => {
        if (waiting) return;
        waiting = true;
        requestAnimationFrame(() => {
            waiting = false;
            work();
        });
    };
}
