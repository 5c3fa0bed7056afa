"""The weights that the control maps of a workflow need, which their kind names and no input does."""

from collections.abc import Iterator

from escalier.comfyui import NamedFile, Place, Workflow, source_of
from escalier.diffusion import DETECTORS, POSE_PARTS, files_for


def control_map_files(workflow: Workflow) -> Iterator[NamedFile]:
    """Every file that a Control Map of the workflow will read."""
    for node_id, node in workflow.items():
        kind, parts = node["inputs"].get("kind"), node["inputs"].get("pose_parts")
        if node["class_type"] != "EscalierControlMap" or not isinstance(kind, str) or kind not in DETECTORS:
            continue
        names = DETECTORS[kind].files
        if kind == "openpose":
            names = tuple((file,) for file in files_for(parts if parts in POSE_PARTS else POSE_PARTS[0]))
        for choice in names:
            source = source_of(choice[0]) or f"https://{DETECTORS[kind].source}"
            yield NamedFile(Place(node_id, "kind"), choice, ("controlnet_aux",), deep=True, source=source)
