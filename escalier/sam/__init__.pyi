from .everything import Everything as Everything, ObjectSearch as ObjectSearch, segment_everything as segment_everything
from .prompts import Prompts as Prompts, parse_prompts as parse_prompts
from .refine import SamRefine as SamRefine
from .sam_files import read_sam as read_sam
from .segment import Candidates as Candidates, SamEmbedding as SamEmbedding, SamModel as SamModel, room_for as room_for
