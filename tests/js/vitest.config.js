import { fileURLToPath } from "node:url";

const comfy = fileURLToPath(new URL("./comfy_stub.js", import.meta.url));

export default {
    test: { include: ["tests/js/*.test.js"], environment: "node" },
    resolve: { alias: [{ find: /^(\.\.\/)+scripts\/(app|api)\.js$/, replacement: comfy }] },
};
