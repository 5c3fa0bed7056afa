from .everything import (
    POINTS_AT_ONCE as POINTS_AT_ONCE,
)
from .everything import (
    Everything as Everything,
)
from .everything import (
    segment_everything as segment_everything,
)
from .prompts import (
    Prompts as Prompts,
)
from .prompts import (
    parse_prompts as parse_prompts,
)
from .refine import SamRefine as SamRefine
from .sam_files import read_sam as read_sam
from .segment import (
    Candidates as Candidates,
)
from .segment import (
    SamEmbedding as SamEmbedding,
)
from .segment import (
    SamModel as SamModel,
)
from .segment import (
    naming_short_memory as naming_short_memory,
)
