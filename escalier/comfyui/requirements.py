"""Whether the Python that will run ComfyUI has what ComfyUI and the pack need, asked before the wait begins."""

import json
import os
import subprocess
import sys
from pathlib import Path

from .errors import ComfyUIError
from .find import ComfyUI
from .folders import pack_folder

# Every ComfyUI since 0.30 needs the first; ours, whose version is known, the rest as well.
NEEDED = ("torch", "torchvision", "numpy", "PIL", "aiohttp", "yaml", "safetensors", "transformers", "einops", "psutil")
NEEDED_BY_EMBEDDED = (
    *("torchaudio", "torchsde", "tokenizers", "sentencepiece", "yarl", "tqdm", "alembic", "sqlalchemy", "filelock"),
    *("requests", "comfyui_frontend_package", "comfy_kitchen", "comfy_aimdo", "simpleeval", "blake3", "kornia"),
    *("spandrel", "pydantic_settings", "av", "scipy"),
)
NEEDED_BY_PACK = ("numba", "cv2", "scipy", "av")


def ask_python(comfyui: ComfyUI, pack: Path | None, device: str) -> bool:
    """Whether ComfyUI is to run on a graphics card.

    Raises ComfyUIError when a package is missing; the message has the pip command that brings it.
    """
    modules = [*NEEDED, *(NEEDED_BY_PACK if pack else ()), *(NEEDED_BY_EMBEDDED if comfyui.embedded else ())]
    script = str(Path(__file__).with_name("missing_packages.py"))
    command = [str(comfyui.python), script, "yes" if device == "auto" else "no", *modules]
    outcome = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", errors="replace", env=child_environment()
    )
    try:
        found = json.loads(outcome.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError) as error:
        said = (outcome.stderr.strip() or "nothing").splitlines()[-1]
        rule = f"be able to import torch, but it said: {said}"
        raise ComfyUIError(f"{comfyui.python}", rule, remedy=f"{install_remedy(comfyui, pack)}") from error
    if found["missing"]:
        missing = ", ".join(found["missing"])
        what = f"ComfyUI needs the Python packages that hold {missing}, and {comfyui.python} lacks them"
        raise ComfyUIError(what, remedy=install_remedy(comfyui, pack))
    return bool(found["card"]) if device == "auto" else device == "card"


def install_remedy(comfyui: ComfyUI, pack: Path | None) -> str:
    """The pip command that brings what is missing."""
    if comfyui.python == Path(sys.executable):
        return f'run: {sys.executable} -m pip install -e "{pack or pack_folder()}[headless]"'
    files = [comfyui.folder / "requirements.txt", *([pack / "requirements.txt"] if pack else [])]
    return f"run: {comfyui.python} -m pip install " + " ".join(f'-r "{file}"' for file in files)


def child_environment() -> dict[str, str]:
    """Our own environment, with reports to packages' makers switched off, and output readable as it comes."""
    quiet = {"DO_NOT_TRACK": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    return {**os.environ, **quiet, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
