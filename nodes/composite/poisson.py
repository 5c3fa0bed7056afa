"""Put a filmed figure into another room so that no seam is seen."""

import comfy.model_management
from comfy_api.v0_0_2 import io

from .. import sockets
from ..errors import named_after_node
from ..progress import Progress
from ..tensors import masks_from_input
from ..video import FilmVideo, clip_from_input, film_from_input
from .film_on_disk import film_on_disk

FAINTEST_SCREENING_PX = 316


class EscalierPoissonBlend(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierPoissonBlend",
            display_name="Poisson Blend",
            category="escalier/composite",
            description="Puts what is inside the mask into another film or picture without a seam: it keeps its own "
            "drawing and takes the colours that it meets at the edge. Outside the mask no bit changes.",
            search_aliases=["seamless clone", "gradient domain", "composite", "paste into", "Poisson editing"],
            inputs=[
                sockets.film_input("What is put in, such as the filmed dancer: a film, or one picture.", id="source"),
                sockets.film_input("What it is put into, such as the new room: a film, or one picture.", id="target"),
                io.Mask.Input(
                    "mask",
                    tooltip="White where the source goes: one mask for each frame, or one for all. It is cut at half "
                    "grey; steady it with Shape Mask Edge first, for a mask that trembles makes a seam that flickers.",
                ),
                io.Combo.Input(
                    "gradients",
                    options=["import", "mixed", "average", "monochrome"],
                    default="import",
                    tooltip="'import' keeps the source's drawing. 'mixed' lets stronger lines of the target show "
                    "through, 'average' takes half of each, 'monochrome' gives the source the target's hue.",
                ),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    tooltip="How much of the correction is added. 1 meets the target's colours at the edge; 0 pastes "
                    "the source as it is.",
                ),
                io.Float.Input(
                    "screening_px",
                    default=0.0,
                    min=0.0,
                    max=FAINTEST_SCREENING_PX,
                    step=1.0,
                    tooltip="How deep the target's colours reach into the source, in pixels. 0 carries them through "
                    "all of it; 40 keeps the body's own colours away from its edge.",
                ),
                io.Float.Input(
                    "rim_blur_px",
                    default=0.0,
                    min=0.0,
                    max=200.0,
                    step=0.5,
                    tooltip="Smooths along the edge what the two pictures differ by. A few pixels calm streaks and "
                    "flicker; more lets fine lines that cross the edge break.",
                ),
                io.Combo.Input(
                    "solver",
                    options=["multigrid", "conjugate_gradient"],
                    default="multigrid",
                    advanced=True,
                    tooltip="'multigrid' is fast and exact to a tenth of a level. 'conjugate_gradient' is the method's "
                    "classic, far slower, for comparison.",
                ),
                io.Combo.Input(
                    "backend",
                    options=["auto", "cpu", "torch"],
                    default="auto",
                    advanced=True,
                    tooltip="'auto' takes the graphics card where ComfyUI uses one that speaks CUDA, else the "
                    "processor. Both give the same picture.",
                ),
                io.Int.Input(
                    "memory_mb",
                    default=2000,
                    min=1,
                    max=1_000_000,
                    step=100,
                    advanced=True,
                    tooltip="Memory for the frames in hand, in MB. More blends more frames at once; where it is not "
                    "there, the number is halved until they fit.",
                ),
                io.Int.Input(
                    "threads",
                    default=0,
                    min=0,
                    max=256,
                    advanced=True,
                    tooltip="Processor cores to use. 0 uses all. The film does not depend on it.",
                ),
            ],
            outputs=[
                io.Video.Output(
                    display_name="video", tooltip="The blended film, with the sound and timing of the longer input."
                )
            ],
        )

    @classmethod
    @named_after_node
    def execute(
        cls, source, target, mask, gradients, strength, screening_px, rim_blur_px, solver, backend, memory_mb, threads
    ) -> io.NodeOutput:
        from escalier.composite import poisson_blend_film

        figure, room = film_from_input(source, "source"), film_from_input(target, "target")
        backend, device = _engine(backend, memory_mb)
        frames = poisson_blend_film(
            figure,
            room,
            masks_from_input(mask),
            gradients=gradients,
            strength=strength,
            screening=1 / screening_px**2 if screening_px else 0.0,
            rim_blur_px=rim_blur_px,
            solver=solver,
            backend=backend,
            device=device,
            threads=threads or None,
            memory_mb=memory_mb,
            progress=Progress(),
        )
        clip = clip_from_input(source if len(figure) >= len(room) else target)
        return io.NodeOutput(FilmVideo(film_on_disk(frames, max(len(figure), len(room)), clip.rate), clip))


def _engine(backend: str, memory_mb: float) -> tuple[str, str | None]:
    """The library's backend and torch device, with room made on the card where one is used."""
    device = comfy.model_management.get_torch_device()
    if backend == "auto":
        backend = "torch" if device.type == "cuda" else "cpu"
    if backend == "cpu":
        return backend, None
    if device.type != "cpu":
        comfy.model_management.free_memory(memory_mb * 1e6, device)
    return backend, str(device)
