"""Which painting of a folder given to Load Keyframes belongs to which frame, shown before the work."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from escalier.comfyui import Place, Workflow, is_link
from escalier.film import UnreadableVideo, open_film
from escalier.keyframes import KeyframeListing, list_keyframes

LOADER = "EscalierLoadKeyframes"
CLIP = ("LoadVideo", "file")


def keyframe_listings(workflow: Workflow, given: Mapping[Place, Path]) -> Iterator[tuple[str, KeyframeListing]]:
    """The paintings of each folder in `given`, with the node that reads it, where its clip is given as well.

    Raises FileNotFoundError, ValueError as `list_keyframes`, where the names or sizes of the paintings do not fit
    the clip.
    """
    for place, folder in given.items():
        node = workflow[place.node]
        clip = _clip_of(workflow, node["inputs"].get("film"), given)
        if node["class_type"] != LOADER or clip is None:
            continue
        try:
            film = open_film(clip)
        except UnreadableVideo:  # what ComfyUI says of it comes later, and may read more than we do
            continue
        first = node["inputs"].get("first")
        known = isinstance(first, int | str) and str(first).isdecimal()  # not where it is linked
        yield place.node, list_keyframes(folder, film, first=int(first) if known else None)


def _clip_of(workflow: Workflow, link: object, given: Mapping[Place, Path]) -> Path | None:
    """The file that a link's node loads, None where it is another kind of node, or its clip is not given."""
    if not isinstance(link, list) or not is_link(link, workflow):
        return None
    class_type, field = CLIP
    clip = given.get(Place(link[0], field)) if workflow[link[0]]["class_type"] == class_type else None
    return clip if clip is not None and clip.is_file() else None
