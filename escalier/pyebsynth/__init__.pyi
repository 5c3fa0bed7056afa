from .arguments import plain_problem as plain_problem
from .card_device import card_is_there as card_is_there
from .choose_engine import (
    BACKENDS as BACKENDS,
)
from .choose_engine import (
    synthesise as synthesise,
)
from .counts import (
    check_seed as check_seed,
)
from .counts import (
    thread_count as thread_count,
)
from .energy import measure_energy as measure_energy
from .full_size import render_full_size as render_full_size
from .problem import Synthesis as Synthesis
from .regions import forbidden_centres as forbidden_centres
from .sub_pixel import SubPixelPainter as SubPixelPainter
