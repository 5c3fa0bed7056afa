from .control_maps.detectors import (
    DETECTORS as DETECTORS,
    KINDS as KINDS,
    draw_control_maps as draw_control_maps,
    find_weights as find_weights,
)
from .control_maps.options import POSE_PARTS as POSE_PARTS, Options as Options
from .control_maps.pose import files_for as files_for
from .control_maps.segmentation import draw_segmentation_maps as draw_segmentation_maps
from .pipelines.depth import estimate_depths as estimate_depths
from .pipelines.families import family_of as family_of
from .pipelines.load import (
    TASKS as TASKS,
    Pipeline as Pipeline,
    check_pipeline as check_pipeline,
    load_pipeline as load_pipeline,
)
from .pipelines.painting import Painting as Painting
from .pipelines.repaint import repaint as repaint
from .shared_attention import (
    AttentionBank as AttentionBank,
    attend_to_anchor as attend_to_anchor,
    of_anchor as of_anchor,
)
