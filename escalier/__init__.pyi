from . import (
    boiling as boiling,
    coherence as coherence,
    comfyui as comfyui,
    composite as composite,
    diffusion as diffusion,
    film as film,
    keyframes as keyframes,
    mask as mask,
    propagation as propagation,
    pyebsynth as pyebsynth,
    sam as sam,
    scratch as scratch,
    tracking as tracking,
)
from .coherence import Advice as Advice, Measurement as Measurement, advise_keyframes as advise_keyframes
from .composite import (
    Blending as Blending,
    Machine as Machine,
    Placing as Placing,
    SoftBand as SoftBand,
    place_subject as place_subject,
    place_subject_film as place_subject_film,
    poisson_blend as poisson_blend,
    poisson_blend_film as poisson_blend_film,
    soft_matte as soft_matte,
    soft_mattes as soft_mattes,
)
from .film import (
    Cadence as Cadence,
    Encoding as Encoding,
    Film as Film,
    FilmMasks as FilmMasks,
    Footage as Footage,
    HeldFilm as HeldFilm,
    Masks as Masks,
    Motion as Motion,
    Size as Size,
    open_film as open_film,
    open_masks as open_masks,
    write_film as write_film,
)
from .front import measure as measure, stylise as stylise
from .keyframes import (
    GridPlan as GridPlan,
    Keyframes as Keyframes,
    Sheet as Sheet,
    choose_keyframes as choose_keyframes,
    plan_grid as plan_grid,
    read_keyframes as read_keyframes,
    write_keyframes as write_keyframes,
)
from .mask import Edge as Edge, Steadying as Steadying, shape_edges as shape_edges
from .progress import Progress as Progress
from .propagation import (
    Fade as Fade,
    FilmMatching as FilmMatching,
    Guides as Guides,
    Runs as Runs,
    Staircase as Staircase,
    propagate as propagate,
)
from .pyebsynth import Matching as Matching, Synthesis as Synthesis, synthesise as synthesise
from .refusals import Refusal as Refusal
from .tracking import TrackedMasks as TrackedMasks, track_masks as track_masks

__version__: str
