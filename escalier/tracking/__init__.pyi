from .fades import TRACKING_FADES as TRACKING_FADES
from .jitter import area_jitter as area_jitter
from .sam2_video import Sam2Video as Sam2Video, read_sam2_video as read_sam2_video
from .sam3_tracks import masks_from_sam3 as masks_from_sam3
from .steady import steady_masks as steady_masks
from .track import Refine as Refine, track_masks as track_masks
from .tracked_masks import TrackedMasks as TrackedMasks
