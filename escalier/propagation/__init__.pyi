from .draft import (
    SCALE as SCALE,
)
from .draft import (
    draft_film as draft_film,
)
from .draft import (
    make_draft as make_draft,
)
from .fades import (
    FADES as FADES,
)
from .fades import (
    Gap as Gap,
)
from .fades import (
    Weights as Weights,
)
from .fades import (
    check_fade as check_fade,
)
from .fades import (
    window as window,
)
from .guides import (
    Guides as Guides,
)
from .guides import (
    NamedGuide as NamedGuide,
)
from .guides import (
    edge_guide as edge_guide,
)
from .guides import (
    position_guide as position_guide,
)
from .guides import (
    still_positions as still_positions,
)
from .plates import Plate as Plate
from .room import scratch_bytes as scratch_bytes
from .run import (
    Matching as Matching,
)
from .run import (
    Run as Run,
)
from .runs import (
    Runs as Runs,
)
from .runs import (
    chains_of as chains_of,
)
from .runs import (
    propagate as propagate,
)
from .staircase import (
    Staircase as Staircase,
)
from .staircase import (
    mix as mix,
)
