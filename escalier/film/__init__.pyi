from .cadence import (
    Cadence as Cadence,
    HeldFilm as HeldFilm,
    RestoredCadence as RestoredCadence,
    pick_frames as pick_frames,
)
from .cuts import (
    ShotMotion as ShotMotion,
    check_cuts as check_cuts,
    find_cuts as find_cuts,
    known_cuts as known_cuts,
    shots as shots,
)
from .film import Film as Film, FilmBase as FilmBase, check_lengths as check_lengths, frame_at as frame_at
from .film_masks import FilmMasks as FilmMasks, open_masks as open_masks
from .film_part import FilmPart as FilmPart
from .film_writing import write_film as write_film
from .filmed_clip import FilmedClip as FilmedClip
from .fingerprint import (
    array_digest as array_digest,
    film_fingerprint as film_fingerprint,
    masks_fingerprint as masks_fingerprint,
)
from .footage import Footage as Footage, MaskFootage as MaskFootage, footage_bytes as footage_bytes
from .frames import (
    ArrayFrames as ArrayFrames,
    FolderFrames as FolderFrames,
    frame_numbers as frame_numbers,
    shortened as shortened,
)
from .masks import Masks as Masks, MaskSource as MaskSource
from .motion import (
    PRESETS as PRESETS,
    Motion as Motion,
    chain as chain,
    dis_flow as dis_flow,
    pair_bytes as pair_bytes,
    sampling_positions as sampling_positions,
    visibility as visibility,
    warp as warp,
    working_size as working_size,
)
from .motion_vectors import GivenMotion as GivenMotion, flows_from_pictures as flows_from_pictures
from .moving_clip.clip import MovingClip as MovingClip, make_clip as make_clip
from .output_check import check_output as check_output
from .output_formats import (
    Encoding as Encoding,
    list_output_formats as list_output_formats,
    output_format as output_format,
)
from .picture_reading import picture_size as picture_size, read_picture as read_picture
from .picture_sequence import SequenceName as SequenceName
from .pictures import Size as Size, as_uint8 as as_uint8
from .scaled import (
    FrameRange as FrameRange,
    ScaledFilm as ScaledFilm,
    draft_size as draft_size,
    scale_film as scale_film,
)
from .sequences import (
    Numbered as Numbered,
    list_pictures as list_pictures,
    number_files as number_files,
    plain_stem as plain_stem,
    stem_of as stem_of,
)
from .sound_samples import read_sound_samples as read_sound_samples
from .video import VideoFrames as VideoFrames, open_film as open_film
from .video_file import UnreadableVideo as UnreadableVideo
