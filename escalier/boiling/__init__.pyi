from .boil import MOST_HELD as MOST_HELD, Boil as Boil
from .curve import Curve as Curve, parse_curve as parse_curve
from .dial import LONGEST as LONGEST, Dial as Dial
