"""A script for the Python that will run ComfyUI: which packages it lacks, and whether torch sees a card.

Prints one line of JSON. It runs apart because ComfyUI wants to set up the card before anything imports torch.
"""

import importlib.util
import json
import os
import sys


def has_card() -> bool:
    """Whether torch sees a graphics card of any make."""
    import torch

    if torch.cuda.is_available():  # NVIDIA, and AMD through ROCm
        return True
    if getattr(torch.backends, "mps", None) is not None and torch.backends.mps.is_available():
        return True
    return hasattr(torch, "xpu") and torch.xpu.is_available()


def main() -> None:
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != here]
    look_for_card, *modules = sys.argv[1:]
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    card = look_for_card == "yes" and "torch" not in missing and has_card()
    sys.stdout.write(json.dumps({"missing": missing, "card": card}) + "\n")


if __name__ == "__main__":
    main()
