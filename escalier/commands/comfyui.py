"""`escalier comfyui`: the same server for the browser, with the pack mounted."""

import argparse
import sys
import time

from escalier.comfyui import ComfyUIError

from .run import add_server_arguments, server_from


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Start ComfyUI with the pack mounted, for the browser on this machine. Ctrl-C stops it."
    add_server_arguments(parser, remote=False)
    parser.add_argument(
        "arguments", nargs="*", metavar="-- ARGUMENT", help="after --, more arguments for ComfyUI's own main.py"
    )


def main(args: argparse.Namespace) -> int:
    with server_from(args, keep_outputs=True, arguments=args.arguments) as server:
        sys.stdout.write(f"ComfyUI runs at {server.url} (stop it with Ctrl-C)\n")
        sys.stdout.write(f"Models, inputs and results: {server.base}\n")
        sys.stdout.flush()
        while True:
            time.sleep(0.5)
            if how := server.failure():
                raise ComfyUIError(f"ComfyUI ended: {how}")
