from .boil import (
    MOST_HELD as MOST_HELD,
)
from .boil import (
    Boil as Boil,
)
from .curve import (
    Curve as Curve,
)
from .curve import (
    parse_curve as parse_curve,
)
from .dial import (
    LONGEST as LONGEST,
)
from .dial import (
    Dial as Dial,
)
