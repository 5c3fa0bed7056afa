// Stands where ComfyUI's own scripts stand in the page, for modules whose state is tested without one.
export const app = { registerExtension() {}, graph: { nodes: [] } };
export const api = { apiURL: (/** @type {string} */ route) => route, fetchApi: async () => new Response("{}") };
