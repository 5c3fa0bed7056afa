// Where the values of a node's inputs come from, through reroutes, subgraphs and nodes that are switched off.
//
// Everything here reads the graph and changes nothing.

/** @typedef {import("./types").GraphNode} GraphNode */
/** @typedef {import("./types").Graph} Graph */

const SUBGRAPH_INPUT = -10; // LiteGraph's number for the edge of a subgraph
const BYPASSED = 4; // LiteGraph's mode of a node that hands its inputs on
const FARTHEST = 500; // links followed; a graph that is being edited may hold a circle for a moment

/**
 * The node and output slot that an input is fed from.
 * @param {GraphNode} node
 * @param {string} input the input's name
 * @param {Graph} root the whole workflow, in which the subgraphs lie
 * @returns {{node: GraphNode, slot: number} | null} null where nothing is connected
 */
export function origin(node, input, root) {
    /** @type {GraphNode | null} */
    let at = node;
    let slot = at.inputs?.findIndex((one) => one.name === input) ?? -1;
    for (let steps = 0; at && slot >= 0 && steps < FARTHEST; steps++) {
        const link = at.getInputLink(slot);
        if (!link) return null;
        if (link.origin_id === SUBGRAPH_INPUT) {
            at = holderOf(at.graph, root);
            slot = link.origin_slot;
            continue;
        }
        /** @type {GraphNode | null} */
        const from = at.graph?.getNodeById(link.origin_id) ?? null;
        if (!from) return null;
        const handedOn = passes(from, link.origin_slot);
        if (handedOn < 0) return { node: from, slot: link.origin_slot };
        at = from;
        slot = handedOn;
    }
    return null;
}

/**
 * The nodes that an output feeds, with the names of their inputs. Into subgraphs and through reroutes, not out of
 * subgraphs.
 * @param {GraphNode} node
 * @param {string} output the output's name
 * @returns {{node: GraphNode, input: string}[]}
 */
export function targets(node, output) {
    const slot = node.outputs?.findIndex((one) => one.name === output) ?? -1;
    return slot < 0 ? [] : fedBy(node, slot, 0);
}

/** @param {GraphNode} node @param {number} slot @param {number} depth @returns {{node: GraphNode, input: string}[]} */
function fedBy(node, slot, depth) {
    if (depth > FARTHEST) return [];
    const found = [];
    for (const id of node.outputs[slot]?.links ?? []) {
        const link = node.graph?.getLink(id);
        const target = link && node.graph?.getNodeById(link.target_id);
        if (!target) continue;
        const name = target.inputs[link.target_slot]?.name;
        if (target.subgraph) {
            for (const inside of target.subgraph.inputNode?.slots?.[link.target_slot]?.getLinks?.() ?? []) {
                const inner = target.subgraph.getNodeById(inside.target_id);
                if (inner) found.push({ node: inner, input: inner.inputs[inside.target_slot].name });
            }
        } else if (passes(target, 0) === link.target_slot) found.push(...fedBy(target, 0, depth + 1));
        else found.push({ node: target, input: name });
    }
    return found;
}

/** Which input an output of a node hands on unchanged; -1 if it makes something of its own. */
function passes(/** @type {GraphNode} */ node, /** @type {number} */ slot) {
    if (node.type === "Reroute") return 0;
    if (node.mode !== BYPASSED) return -1;
    const type = node.outputs[slot]?.type;
    return node.inputs.findIndex((one) => one.type === type && one.link != null);
}

/** The node of the workflow that holds a subgraph. @param {Graph | null} graph @param {Graph} within @returns {GraphNode | null} */
function holderOf(graph, within) {
    for (const node of within.nodes) {
        if (!node.subgraph) continue;
        if (node.subgraph === graph) return node;
        const deeper = holderOf(graph, node.subgraph);
        if (deeper) return deeper;
    }
    return null;
}

/**
 * The value of a node's widget.
 * @param {GraphNode} node
 * @param {string} name
 */
export const widget = (node, name) => node.widgets?.find((one) => one.name === name);

/**
 * Set a widget as if it had been typed: its callback runs and the workflow counts as changed.
 * @param {GraphNode} node
 * @param {string} name
 * @param {unknown} value
 */
export function setWidget(node, name, value) {
    const found = widget(node, name);
    if (!found || found.value === value) return;
    found.value = value;
    found.callback?.(value);
    node.graph?.setDirtyCanvas?.(true, true);
}
