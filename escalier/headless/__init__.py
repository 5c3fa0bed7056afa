"""Headless: ComfyUI without a browser, and the command line, each of whose commands is a module of its own."""
