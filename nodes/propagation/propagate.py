"""Carry painted keyframes through the film."""

from comfy_api.v0_0_2 import io

from escalier.film import Motion
from escalier.keyframes import Keyframes
from escalier.propagation import Guides, Matching, propagate
from escalier.pyebsynth import BACKENDS

from .. import sockets
from ..errors import named_after_node
from ..progress import Progress
from ..scratch import lasting_folder
from ..tensors import masks_from_input
from ..video import film_from_input

CATEGORY = "escalier/propagation"
CUTS_TOOLTIP = (
    "Finds the cuts of the film and carries no keyframe across one; every shot then needs a keyframe of its own. "
    "Switch it off when a sudden change inside one shot is taken for a cut."
)


def weight_input(name: str, default: float, tooltip: str, *, advanced: bool = False) -> io.Float.Input:
    """A dial for the weight of a guide."""
    return io.Float.Input(name, default=default, min=0.0, max=100.0, step=0.1, tooltip=tooltip, advanced=advanced)


def colour_input() -> io.Float.Input:
    return weight_input(
        "colour",
        Guides().colour,
        "How closely the brush follows the film's colours and shading. 6 as in EbSynth, where it is the main guide. "
        "Lower keeps more of the keyframe's own drawing.",
    )


def position_input() -> io.Float.Input:
    return weight_input(
        "position",
        Guides().position,
        "How firmly brush strokes stay at their place on the moving forms. 2 keeps their order; much more copies "
        "errors of the measured motion.",
    )


def temporal_input() -> io.Float.Input:
    return weight_input(
        "temporal",
        Guides().temporal,
        "How much a frame resembles the one before. 0.7 calms the film; much more freezes and smears it. It counts "
        "less by itself where the film moves too fast to be followed.",
    )


def seed_input() -> io.Int.Input:
    return io.Int.Input(
        "seed",
        default=0,
        min=0,
        max=2**31 - 1,
        control_after_generate=False,
        tooltip="Another seed gives other brush strokes of the same quality. The same seed gives the same film, to the "
        "bit.",
    )


def mask_input() -> io.Mask.Input:
    return io.Mask.Input(
        "mask",
        optional=True,
        tooltip="White where the subject is: one mask for each frame, or one for the whole film. Keeps a moving "
        "subject from dragging the set along.",
    )


def cuts_input() -> io.Boolean.Input:
    return io.Boolean.Input("stop_at_cuts", default=True, optional=True, advanced=True, tooltip=CUTS_TOOLTIP)


class EscalierPropagate(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        guides, matching = Guides(), Matching()
        return io.Schema(
            node_id="EscalierPropagate",
            display_name="Propagate Keyframes",
            category=CATEGORY,
            description="Carries every painted keyframe through the film, forwards and backwards, up to its neighbours "
            "or to the ends of its shot. This is where the time goes. After a cancel, or when one keyframe was painted "
            "anew, only what is missing is made.",
            search_aliases=["EbSynth", "style propagation", "stylize video", "restyle video"],
            inputs=[
                sockets.film_input("The filmed clip: a video, or a batch of images."),
                sockets.Keyframes.Input(
                    "keyframes",
                    tooltip="The painted keyframes, in the film's size; or larger, and the film comes out as large.",
                ),
                colour_input(),
                position_input(),
                temporal_input(),
                seed_input(),
                weight_input(
                    "edge",
                    guides.edge,
                    "How closely strokes follow fine lines of the film, whatever their brightness. 0.5, because more "
                    "brings the film's noise into the painting.",
                    advanced=True,
                ),
                weight_input(
                    "mask_weight",
                    guides.mask,
                    "How strictly subject and set are kept apart when a mask is connected. 6, as strong as colour.",
                    advanced=True,
                ),
                io.Float.Input(
                    "uniformity",
                    default=matching.uniformity,
                    min=0.0,
                    max=20000.0,
                    step=100.0,
                    advanced=True,
                    tooltip="How evenly all parts of the painting are used. 3500 as in EbSynth. Lower repeats the "
                    "best-fitting strokes, higher brings in strokes that fit less well.",
                ),
                io.Combo.Input(
                    "patch_size",
                    options=["3", "5", "7"],
                    default=str(matching.patch_size),
                    advanced=True,
                    tooltip="Side of the pieces that the painting is cut into, in pixels. 5 as in EbSynth. 3 follows "
                    "fine forms, 7 keeps larger strokes whole.",
                ),
                io.Combo.Input(
                    "voting",
                    options=["plain", "weighted"],
                    default=matching.voting,
                    advanced=True,
                    tooltip="How overlapping pieces are mixed. 'plain' averages them; 'weighted' trusts those that fit "
                    "best, which is crisper and can flicker.",
                ),
                io.Boolean.Input(
                    "extra_pass_3x3",
                    default=matching.extra_pass_3x3,
                    advanced=True,
                    tooltip="A last pass with pieces of 3 pixels: sharper detail for about a quarter more time.",
                ),
                io.Int.Input(
                    "search_vote_iterations",
                    default=0,
                    min=0,
                    max=50,
                    advanced=True,
                    tooltip="Rounds of matching and painting on every size of the picture. 0 takes the engine's own "
                    "choice. More is slower and hardly better.",
                ),
                io.Int.Input(
                    "patchmatch_iterations",
                    default=0,
                    min=0,
                    max=50,
                    advanced=True,
                    tooltip="Search steps in each round. 0 takes the engine's own choice. More finds better pieces, "
                    "slower.",
                ),
                io.Combo.Input(
                    "backend",
                    options=["auto", *BACKENDS],
                    default=matching.backend,
                    advanced=True,
                    tooltip="The engine. 'auto' takes the best one that is here. 'card' is an NVIDIA card, with the "
                    "package warp-lang; 'original' is the first EbSynth program, where its library is installed.",
                ),
                io.Int.Input(
                    "threads",
                    default=0,
                    min=0,
                    max=256,
                    advanced=True,
                    tooltip="Processor cores to use. 0 uses all. The film does not depend on it.",
                ),
                sockets.Motion.Input(
                    "motion",
                    optional=True,
                    tooltip="The film's motion from Measure Motion. Measured here if nothing is connected.",
                ),
                mask_input(),
                cuts_input(),
                io.Boolean.Input(
                    "apart",
                    default=matching.apart,
                    optional=True,
                    advanced=True,
                    tooltip="With a mask, subject and set are painted as two plates that cannot copy from each other, "
                    "and are joined by the mask's own edge. Off, the mask is only one guide among others.",
                ),
                io.Int.Input(
                    "match_side",
                    default=0,
                    min=0,
                    max=8192,
                    step=64,
                    optional=True,
                    advanced=True,
                    tooltip="For large films: the longer side, in pixels, at which frames are matched. 960 makes 4K "
                    "cost twice 540p; the film is still painted from the full-size keyframes. 0 matches at the film's "
                    "own size, which is finest and slowest.",
                ),
                io.Boolean.Input(
                    "sub_pixel",
                    default=matching.sub_pixel,
                    optional=True,
                    advanced=True,
                    tooltip="Strokes follow the film by parts of a pixel. Off, every stroke is copied pixel for pixel, "
                    "as EbSynth does: for halftone and pixel art. Slow motion then goes in steps.",
                ),
            ],
            outputs=[
                sockets.Runs.Output(
                    display_name="runs", tooltip="Every keyframe's run in both directions, for Fade Staircase."
                )
            ],
        )

    @classmethod
    @named_after_node
    def execute(
        cls, film, keyframes: Keyframes, colour, position, temporal, seed, edge, mask_weight, uniformity, patch_size,
        voting, extra_pass_3x3, search_vote_iterations, patchmatch_iterations, backend, threads,
        motion: Motion | None = None, mask=None, stop_at_cuts=True, apart=True, match_side=0, sub_pixel=True,
    ) -> io.NodeOutput:  # fmt: skip
        runs = propagate(
            film_from_input(film),
            keyframes,
            folder=lasting_folder("runs"),
            motion=motion,
            masks=None if mask is None else masks_from_input(mask),
            guides=Guides(colour=colour, edge=edge, position=position, temporal=temporal, mask=mask_weight),
            matching=Matching(
                uniformity=uniformity,
                patch_size=int(patch_size),
                voting=voting,
                extra_pass_3x3=extra_pass_3x3,
                search_vote_iterations=search_vote_iterations or None,
                patchmatch_iterations=patchmatch_iterations or None,
                backend=backend,
                apart=apart,
                match_side=match_side or None,
                sub_pixel=sub_pixel,
            ),
            cuts=None if stop_at_cuts else (),
            seed=seed,
            threads=threads or None,
            progress=Progress(),
        )
        return io.NodeOutput(runs)
