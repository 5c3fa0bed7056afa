import { expect, test } from "vitest";

import { origin, targets } from "../../js/lib/graph.js";

/** A graph of nodes and links `[from, slot, to, slot]`, as LiteGraph gives them. */
function graphOf(nodes, links, edge = []) {
    const all = links.map(([origin_id, origin_slot, target_id, target_slot], id) =>
        ({ id, origin_id, origin_slot, target_id, target_slot }));
    const graph = {
        nodes,
        getNodeById: (id) => nodes.find((node) => node.id === id) ?? null,
        getLink: (id) => all[id],
        inputNode: { slots: edge.map((_, slot) => ({ getLinks: () => all.filter((l) => l.origin_id === -10 && l.origin_slot === slot) })) },
    };
    for (const node of nodes) {
        node.graph = graph;
        node.mode ??= 0;
        node.inputs = (node.inputs ?? []).map((name, slot) => {
            const link = all.find((one) => one.target_id === node.id && one.target_slot === slot);
            return { name, type: "VIDEO", link: link?.id ?? null };
        });
        node.outputs = (node.outputs ?? []).map((name, slot) => ({
            name, type: "VIDEO", links: all.filter((l) => l.origin_id === node.id && l.origin_slot === slot).map((l) => l.id),
        }));
        node.getInputLink = (slot) => all.find((one) => one.target_id === node.id && one.target_slot === slot) ?? null;
    }
    return graph;
}

test("an input is followed through reroutes and bypassed nodes to the node that makes its value", () => {
    const film = { id: 1, type: "LoadVideo", outputs: ["video"] };
    const bend = { id: 2, type: "Reroute", inputs: [""], outputs: [""] };
    const off = { id: 3, type: "Grade", mode: 4, inputs: ["video"], outputs: ["video"] };
    const user = { id: 4, type: "EscalierTrackMask", inputs: ["film"] };
    const graph = graphOf([film, bend, off, user], [[1, 0, 2, 0], [2, 0, 3, 0], [3, 0, 4, 0]]);
    expect(origin(user, "film", graph)).toEqual({ node: film, slot: 0 });
    expect(targets(film, "video")).toEqual([{ node: user, input: "film" }]);
});

test("an input inside a subgraph is followed out of it", () => {
    const user = { id: 7, type: "EscalierChooseKeyframes", inputs: ["film"] };
    const inner = graphOf([user], [[-10, 0, 7, 0]], ["film"]);
    const film = { id: 1, type: "LoadVideo", outputs: ["video"] };
    const holder = { id: 2, type: "some-uuid", inputs: ["film"], subgraph: inner };
    const root = graphOf([film, holder], [[1, 0, 2, 0]]);
    expect(origin(user, "film", root)).toEqual({ node: film, slot: 0 });
    expect(targets(film, "video")).toEqual([{ node: user, input: "film" }]);
});

test("nothing connected, an unknown input and a circle end in null", () => {
    const alone = { id: 1, type: "A", inputs: ["film"] };
    expect(origin(alone, "film", graphOf([alone], []))).toBeNull();
    expect(origin(alone, "mask", alone.graph)).toBeNull();
    const one = { id: 1, type: "Reroute", inputs: [""], outputs: [""] };
    const other = { id: 2, type: "Reroute", inputs: [""], outputs: [""] };
    expect(origin(one, "", graphOf([one, other], [[1, 0, 2, 0], [2, 0, 1, 0]]))).toBeNull();
});
