"""The socket types that nodes of this pack hand to one another. Pictures, masks and films are ComfyUI's own types."""

from comfy_api.v0_0_2 import io

Keyframes = io.Custom("ESCALIER_KEYFRAMES")  # escalier.keyframes.Keyframes
Grid = io.Custom("ESCALIER_GRID")  # escalier.keyframes.GridPlan
Motion = io.Custom("ESCALIER_MOTION")  # escalier.film.Motion
Runs = io.Custom("ESCALIER_RUNS")  # escalier.propagation.Runs
Measurement = io.Custom("ESCALIER_MEASUREMENT")  # escalier.coherence.Measurement
AttentionBank = io.Custom("ESCALIER_ATTENTION_BANK")  # escalier.diffusion.shared_attention.AttentionBank
Sam = io.Custom("ESCALIER_SAM")  # escalier.sam.segment.SamModel
SamEmbedding = io.Custom("ESCALIER_SAM_EMBEDDING")  # escalier.sam.segment.SamEmbedding
MatteModel = io.Custom("ESCALIER_MATTE_MODEL")  # escalier.mask.matte.MatteModel
CameraMotion = io.Custom("ESCALIER_CAMERA_MOTION")  # escalier.composite.CameraMotion
PlatePlan = io.Custom("ESCALIER_PLATE_PLAN")  # escalier.composite.PlatePlan
Pipeline = io.Custom("ESCALIER_PIPELINE")  # escalier.diffusion.Pipeline


def film_input(
    tooltip: str = "The filmed clip: a video, or a batch of images.", *, id: str = "film", optional: bool = False
) -> io.MultiType.Input:
    """The film socket, the same on every node: a VIDEO, or an IMAGE batch with one picture a frame."""
    return io.MultiType.Input(id, types=[io.Video, io.Image], tooltip=tooltip, optional=optional)


def measured_motion() -> io.Input:
    """The motion socket of nodes that measure the motion themselves where nobody has."""
    tooltip = "The film's motion from Measure Motion. Measured here if nothing is connected."
    return Motion.Input("motion", optional=True, tooltip=tooltip)
