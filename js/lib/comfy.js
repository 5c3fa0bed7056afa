// What the pack takes from ComfyUI's page: its app and its server. Nothing else here imports ComfyUI's scripts.

import { api } from "../../../scripts/api.js";
import { app } from "../../../scripts/app.js";

export { api, app };

/** Whether the page draws nodes as HTML ("Nodes 2.0") and not on the canvas. */
export const isNodes2 = () => Boolean(window.LiteGraph?.vueNodesMode);

/**
 * Ask one of our own addresses for JSON.
 * @param {string} route "film" for `/escalier/film`
 * @param {Record<string, string | number>} query
 * @returns {Promise<any>} the answer; rejects with an Error whose message is the server's sentence
 */
export async function ask(route, query) {
    const response = await api.fetchApi(`/escalier/${route}?${new URLSearchParams(asText(query))}`);
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(answer.error ?? `the server answered with ${response.status}`);
    return answer;
}

/**
 * The address of a picture that our server makes, for an `<img>`.
 * @param {string} route
 * @param {Record<string, string | number>} query
 */
export const address = (route, query) => api.apiURL(`/escalier/${route}?${new URLSearchParams(asText(query))}`);

/** Say something in the corner of the page. @param {"info" | "warn" | "error"} severity @param {string} detail */
export function say(severity, detail) {
    app.extensionManager.toast.add({ severity, summary: "Escalier", detail, life: 8000 });
}

/** @param {Record<string, string | number>} query @returns {Record<string, string>} */
const asText = (query) => Object.fromEntries(Object.entries(query).map(([key, value]) => [key, String(value)]));
