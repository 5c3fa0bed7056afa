"""Registers Escalier with ComfyUI. The nodes are in nodes/, the library they call is in escalier/.

ComfyUI imports this folder under a name made from its path and puts nothing on `sys.path`. The library is therefore
loaded here, once, under its one stable name: numba's kernel cache breaks when one file is loaded under two names.
"""

import importlib.util
import sys
from pathlib import Path

WEB_DIRECTORY = "./js"


def _load_library() -> None:
    """Make `import escalier` mean the folder beside this file, and refuse a second copy that lives elsewhere."""
    folder = Path(__file__).resolve().parent / "escalier"
    loaded = sys.modules.get("escalier")
    if loaded is not None:
        other = Path(loaded.__file__ or loaded.__path__[0]).resolve()
        if folder not in (other, other.parent):
            raise ImportError(
                f"Escalier: another copy of its library is already loaded, from {other.parent}, so the one in "
                f"{folder} cannot be; keep one copy: remove the other folder, or run 'pip uninstall escalier'"
            )
        return
    spec = importlib.util.spec_from_file_location(
        "escalier", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    library = importlib.util.module_from_spec(spec)
    sys.modules["escalier"] = library
    try:
        spec.loader.exec_module(library)
    except BaseException:
        del sys.modules["escalier"]
        raise


# pytest, which reads this file as a plain one, gives it no package; ComfyUI always does.
if __package__:
    _load_library()
    from .nodes import comfy_entrypoint as comfy_entrypoint
