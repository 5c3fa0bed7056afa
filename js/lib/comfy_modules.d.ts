// ComfyUI serves these two beside every pack's own files.

declare module "*/scripts/app.js" {
    export const app: import("./types").App;
}

declare module "*/scripts/api.js" {
    export const api: import("./types").Api;
}
