// What the pack uses of ComfyUI's page, as its frontend 1.47 to 1.58 gives it.

export interface Widget {
    name: string;
    type: string;
    value: any;
    options: Record<string, any>;
    callback?: (value: any) => void;
    serialize?: boolean;
    hidden?: boolean;
    element?: HTMLElement;
    tooltip?: string;
}

export interface Link {
    id: number;
    origin_id: number | string;
    origin_slot: number;
    target_id: number | string;
    target_slot: number;
}

export interface InputSlot {
    name: string;
    type: string;
    link: number | null;
}

export interface OutputSlot {
    name: string;
    type: string;
    links: number[] | null;
}

export interface Graph {
    nodes: GraphNode[];
    getNodeById(id: number | string): GraphNode | null;
    getLink(id: number): Link | null | undefined;
    setDirtyCanvas?(foreground: boolean, background: boolean): void;
    inputNode?: { slots: { getLinks(): Link[] }[] };
}

export interface GraphNode {
    id: number | string;
    type: string;
    comfyClass?: string;
    title: string;
    mode: number;
    size: [number, number];
    graph: Graph | null;
    subgraph?: Graph;
    inputs: InputSlot[];
    outputs: OutputSlot[];
    widgets?: Widget[];
    properties: Record<string, unknown>;
    getInputLink(slot: number): Link | null;
    addDOMWidget(name: string, type: string, element: HTMLElement, options?: Record<string, unknown>): Widget;
    setSize(size: [number, number]): void;
    computeSize(): [number, number];
    onExecuted?: (output: Record<string, any>) => void;
    onConnectionsChange?: (...facts: any[]) => void;
    onConfigure?: (data: any) => void;
    onRemoved?: () => void;
    onResize?: (size: [number, number]) => void;
    onDragOver?: (event: DragEvent) => boolean;
    onDragDrop?: (event: DragEvent) => boolean | Promise<boolean>;
}

export interface Extension {
    name: string;
    setup?: () => void | Promise<void>;
    nodeCreated?: (node: GraphNode) => void;
    afterConfigureGraph?: (missing: unknown[]) => void | Promise<void>;
    commands?: { id: string; label: string; icon?: string; function: () => void | Promise<void> }[];
    menuCommands?: { path: string[]; commands: string[] }[];
}

export interface App {
    graph: Graph;
    rootGraph?: Graph;
    extensionManager: {
        toast: { add(message: { severity: string; summary: string; detail: string; life?: number }): void };
        setting: { get(id: string): unknown; set(id: string, value: unknown): Promise<void> };
        workflow: any;
    };
    registerExtension(extension: Extension): void;
}

export interface Api extends EventTarget {
    apiURL(route: string): string;
    fetchApi(route: string, options?: RequestInit): Promise<Response>;
}

declare global {
    interface Window {
        LiteGraph?: { vueNodesMode?: boolean };
    }
}
