from .chains import Chain as Chain, chains_of as chains_of
from .draft import DraftPart as DraftPart, draft_film as draft_film, make_draft as make_draft
from .fades import FADES as FADES, Fade as Fade, Gap as Gap, Weights as Weights, window as window
from .film_matching import FilmMatching as FilmMatching
from .guides import (
    Guides as Guides,
    NamedGuide as NamedGuide,
    edge_guide as edge_guide,
    position_guide as position_guide,
    still_positions as still_positions,
)
from .mixing import mix as mix
from .plates import Plate as Plate
from .propagation import Propagation as Propagation, propagate as propagate
from .room import scratch_bytes as scratch_bytes
from .run import Run as Run, run_bytes as run_bytes
from .runs import Runs as Runs
from .side_by_side import runs_at_a_time as runs_at_a_time
from .staircase import Staircase as Staircase
from .unfinished import checkpoint_bytes as checkpoint_bytes
from .work import painting_seconds as painting_seconds, preparing_seconds as preparing_seconds
