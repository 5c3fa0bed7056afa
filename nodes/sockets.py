"""The socket types that nodes of this pack hand to one another. Pictures, masks and films are ComfyUI's own types."""

from comfy_api.v0_0_2 import io

Keyframes = io.Custom("ESCALIER_KEYFRAMES")  # escalier.keyframes.Keyframes
Grid = io.Custom("ESCALIER_GRID")  # escalier.keyframes.GridPlan
Motion = io.Custom("ESCALIER_MOTION")  # escalier.film.Motion
Runs = io.Custom("ESCALIER_RUNS")  # escalier.propagation.Runs


def film_input(tooltip: str, *, optional: bool = False) -> io.MultiType.Input:
    """The film socket, the same on every node: a VIDEO, or an IMAGE batch with one picture a frame."""
    return io.MultiType.Input("film", types=[io.Video, io.Image], tooltip=tooltip, optional=optional)
