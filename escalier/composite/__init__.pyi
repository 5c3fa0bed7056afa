from .blending import Blending as Blending, Machine as Machine
from .camera import CameraMotion as CameraMotion, camera_motion as camera_motion
from .clean_plate import (
    FILLS as FILLS,
    CleanPlate as CleanPlate,
    PlateSearch as PlateSearch,
    make_clean_plate as make_clean_plate,
    make_clean_plates as make_clean_plates,
)
from .clipping import Clipping as Clipping
from .composite_check import CompositeCheck as CompositeCheck, measure_composite as measure_composite
from .foreground_colours import estimate_foreground as estimate_foreground
from .layers import (
    BLEND_MODES as BLEND_MODES,
    Layering as Layering,
    blend_layers as blend_layers,
    blend_layers_film as blend_layers_film,
)
from .matting import SoftBand as SoftBand, soft_matte as soft_matte, soft_mattes as soft_mattes
from .moving_plate import (
    MovedPlate as MovedPlate,
    PlatePlan as PlatePlan,
    move_plate as move_plate,
    plan_plate as plan_plate,
)
from .placed_subject import place_subject as place_subject, place_subject_film as place_subject_film
from .placing import Placing as Placing
from .poisson import poisson_blend as poisson_blend, poisson_blend_film as poisson_blend_film
from .shadow import Shadows as Shadows, find_cast_shadow as find_cast_shadow, shadow_room as shadow_room
from .untouched import (
    Untouched as Untouched,
    UntouchedFilm as UntouchedFilm,
    measure_untouched as measure_untouched,
    measure_untouched_film as measure_untouched_film,
)
