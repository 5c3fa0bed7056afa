from .control_maps.detectors import (
    DETECTORS as DETECTORS,
)
from .control_maps.detectors import (
    KINDS as KINDS,
)
from .control_maps.detectors import (
    draw_control_maps as draw_control_maps,
)
from .control_maps.detectors import (
    find_weights as find_weights,
)
from .control_maps.options import (
    POSE_PARTS as POSE_PARTS,
)
from .control_maps.options import (
    Options as Options,
)
from .control_maps.pose import files_for as files_for
from .control_maps.segmentation import draw_segmentation_maps as draw_segmentation_maps
from .pipelines.depth import estimate_depths as estimate_depths
from .pipelines.load import (
    TASKS as TASKS,
)
from .pipelines.load import (
    Pipeline as Pipeline,
)
from .pipelines.load import (
    check_pipeline as check_pipeline,
)
from .pipelines.load import (
    load_pipeline as load_pipeline,
)
from .pipelines.repaint import (
    check_dials as check_dials,
)
from .pipelines.repaint import (
    repaint as repaint,
)
from .shared_attention import (
    AttentionBank as AttentionBank,
)
from .shared_attention import (
    attend_to_anchor as attend_to_anchor,
)
from .shared_attention import (
    of_anchor as of_anchor,
)
