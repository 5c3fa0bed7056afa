from .camera import camera_motion as camera_motion
from .clean_plate import (
    CleanPlate as CleanPlate,
)
from .clean_plate import (
    make_clean_plate as make_clean_plate,
)
from .clean_plate import (
    make_clean_plates as make_clean_plates,
)
from .layers import (
    BLEND_MODES as BLEND_MODES,
)
from .layers import (
    blend_layers as blend_layers,
)
from .layers import (
    blend_layers_film as blend_layers_film,
)
from .poisson import (
    poisson_blend as poisson_blend,
)
from .poisson import (
    poisson_blend_film as poisson_blend_film,
)
from .untouched import (
    Untouched as Untouched,
)
from .untouched import (
    UntouchedFilm as UntouchedFilm,
)
from .untouched import (
    measure_untouched as measure_untouched,
)
from .untouched import (
    measure_untouched_film as measure_untouched_film,
)
