from .cadence import (
    Cadence as Cadence,
)
from .cadence import (
    RestoredCadence as RestoredCadence,
)
from .cadence import (
    pick_frames as pick_frames,
)
from .cuts import (
    ShotMotion as ShotMotion,
)
from .cuts import (
    check_cuts as check_cuts,
)
from .cuts import (
    find_cuts as find_cuts,
)
from .cuts import (
    shots as shots,
)
from .film_part import FilmPart as FilmPart
from .film_writing import write_film as write_film
from .filmed_clip import FilmedClip as FilmedClip
from .fingerprint import (
    array_digest as array_digest,
)
from .fingerprint import (
    film_fingerprint as film_fingerprint,
)
from .fingerprint import (
    masks_fingerprint as masks_fingerprint,
)
from .frames import (
    ArrayFrames as ArrayFrames,
)
from .frames import (
    FolderFrames as FolderFrames,
)
from .frames import (
    FrameSource as FrameSource,
)
from .frames import (
    MaskSource as MaskSource,
)
from .frames import (
    check_masks as check_masks,
)
from .frames import (
    frame_numbers as frame_numbers,
)
from .frames import (
    shortened as shortened,
)
from .masks import (
    FilmMasks as FilmMasks,
)
from .masks import (
    check_marked as check_marked,
)
from .masks import (
    nothing_marked as nothing_marked,
)
from .motion import (
    PRESETS as PRESETS,
)
from .motion import (
    Motion as Motion,
)
from .motion import (
    chain as chain,
)
from .motion import (
    pair_bytes as pair_bytes,
)
from .motion import (
    sampling_positions as sampling_positions,
)
from .motion import (
    visibility as visibility,
)
from .motion import (
    warp as warp,
)
from .motion import (
    working_size as working_size,
)
from .motion_vectors import (
    GivenMotion as GivenMotion,
)
from .motion_vectors import (
    flows_from_pictures as flows_from_pictures,
)
from .moving_clip.clip import (
    MovingClip as MovingClip,
)
from .moving_clip.clip import (
    make_clip as make_clip,
)
from .output_formats import (
    check_output as check_output,
)
from .output_formats import (
    list_output_formats as list_output_formats,
)
from .output_formats import (
    output_format as output_format,
)
from .picture_sequence import SequenceName as SequenceName
from .pictures import (
    Size as Size,
)
from .pictures import (
    as_uint8 as as_uint8,
)
from .pictures import (
    picture_size as picture_size,
)
from .pictures import (
    read_picture as read_picture,
)
from .scaled import (
    FrameRange as FrameRange,
)
from .scaled import (
    ScaledFilm as ScaledFilm,
)
from .scaled import (
    draft_size as draft_size,
)
from .scaled import (
    scale_film as scale_film,
)
from .sequences import (
    Numbered as Numbered,
)
from .sequences import (
    list_pictures as list_pictures,
)
from .sequences import (
    number_files as number_files,
)
from .sequences import (
    plain_stem as plain_stem,
)
from .sequences import (
    stem_of as stem_of,
)
from .sound_samples import read_sound_samples as read_sound_samples
from .video import (
    VideoFrames as VideoFrames,
)
from .video import (
    open_film as open_film,
)
from .video_file import UnreadableVideo as UnreadableVideo
