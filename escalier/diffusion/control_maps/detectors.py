"""Control maps: what a ControlNet is to respect in a keyframe, drawn by the detectors of controlnet-aux."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from escalier.arguments import checked
from escalier.film import as_uint8
from escalier.progress import Progress
from escalier.refusals import Refusal

from . import depth, lines, pose
from .depth_range import shared_greys
from .options import Detect, Options
from .package import import_package, naming_short_memory
from .sizes import RESOLUTION_PX, STEP_PX, Room, check_pictures
from .weights import find_file

ANNOTATORS = "huggingface.co/lllyasviel/Annotators"


@dataclass(frozen=True)
class Detector:
    """One kind of control map."""

    load: Callable[[Sequence[Path], str, Options], Detect]
    """Makes the detector from its files: `load(files, device, options)`."""
    files: tuple[tuple[str, ...], ...] = ()
    """The names of its weights. Where several stand together in one entry, any of them will do."""
    source: str = ANNOTATORS
    """Where the weights come from."""
    step_px: int = STEP_PX
    """Its network takes sides that are multiples of this."""
    packaged: bool = True
    """Whether it is one of controlnet-aux."""
    measures_depth: bool = False
    """Whether it gives depth in the network's own unit, to be aligned over the pictures."""


DETECTORS: dict[str, Detector] = {
    "canny": Detector(lines.load_canny, step_px=1, packaged=False),
    "lineart standard": Detector(lines.load_lineart_standard),
    "lineart realistic": Detector(lines.load_lineart, (("sk_model.pth",),)),
    "lineart coarse": Detector(lines.load_lineart, (("sk_model2.pth",),)),
    "lineart anime": Detector(lines.load_lineart_anime, (("netG.pth",),), step_px=256),
    "hed": Detector(lines.load_hed, (("ControlNetHED.pth",),)),
    "pidinet": Detector(lines.load_pidinet, (("table5_pidinet.pth",),)),
    "teed": Detector(lines.load_teed, (("5_model.pth", "7_model.pth"),), "huggingface.co/fal-ai/teed"),
    "mlsd": Detector(lines.load_mlsd, (("mlsd_large_512_fp32.pth",),)),
    "openpose": Detector(pose.load_openpose),
    "depth midas": Detector(depth.load_midas, (("dpt_hybrid-midas-501f0c75.pt",),), measures_depth=True),
    "depth zoe": Detector(depth.load_zoe, (("ZoeD_M12_N.pt",),), measures_depth=True),
    "depth leres": Detector(depth.load_leres, (("res101.pth",),), measures_depth=True),
    "normal": Detector(depth.load_normal, (("scannet.pt",),)),
}
KINDS = tuple(DETECTORS)


@checked
def draw_control_maps(
    pictures: Sequence[np.ndarray],
    kind: str,
    *,
    folders: Iterable[str | Path] = (),
    resolution: int = RESOLUTION_PX,
    options: Options | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
) -> np.ndarray:
    """Draw the control map of each picture: its lines, its people, its depth.

    Every map has exactly its picture's size. The picture is scaled as a whole and padded to what the network takes;
    nothing is stretched. Depth comes raw from the network, is aligned from picture to picture by what stands still,
    and gets one range for the whole set, so that the same wall is the same grey in every keyframe.

    Parameters
    ----------
    pictures
        RGB pictures (H, W, 3) of one size, uint8 or float32 0..1, in the order of time.
    kind
        One of `KINDS`.
    folders
        Where to look for weights, subfolders included. Nothing is ever downloaded.
    resolution
        The short side, in pixels, at which the detector looks; 0 is the picture's own size. Networks were taught at
        about 512: more finds finer lines, misses large forms, and costs with the square.
    options
        Dials of single kinds.
    device
        Where networks run, as torch names it.
    progress
        Called as `progress(done, total, picture)` after each picture.

    Returns
    -------
    numpy.ndarray
        (N, H, W, 3) float32 0..1. Near is white in depth.

    Raises
    ------
    ValueError
        If an argument is out of range, or a file holds something else than the weights its name promises.
    FileNotFoundError
        If weights are missing; names the file, the folder and the source.
    ImportError
        If controlnet-aux is missing; names the command that installs it.
    MemoryError
        If the memory is too short for one picture.

    >>> picture = np.zeros((45, 80, 3), np.uint8)
    >>> picture[:, 40:] = 255
    >>> drawn = draw_control_maps([picture], "canny", resolution=0)
    >>> drawn.shape, np.flatnonzero(drawn[0, 20, :, 0]).tolist()
    ((1, 45, 80, 3), [39])
    """
    if kind not in DETECTORS:
        raise Refusal("kind", f"be one of {', '.join(KINDS)}", f"{kind!r}", "choose one of them")
    size = check_pictures(pictures, resolution)
    options = options or Options()
    detector = DETECTORS[kind]
    if detector.packaged:
        import_package()
    room = Room.of(size, resolution, detector.step_px)
    files = find_weights(kind, folders, options)
    with naming_short_memory(f"the detector of {kind!r}", room.padded):
        detect = detector.load(files, device, options)
    found: list[np.ndarray] = []
    for picture in pictures:
        with naming_short_memory(f"the detector of {kind!r}", room.padded):
            found.append(room.leave(detect(room.enter(as_uint8(picture)))))
        if progress is not None:
            progress(len(found), len(pictures), None if detector.measures_depth else _as_picture(found[-1]))
    if detector.measures_depth:
        return np.repeat(shared_greys(found)[..., None], 3, axis=3)
    return np.stack([_as_picture(one) for one in found])


def find_weights(kind: str, folders: Iterable[str | Path] = (), options: Options | None = None) -> list[Path]:
    """The files that a kind of map needs, looked for and not opened: what is missing can be said before the work.

    Raises
    ------
    FileNotFoundError
        Naming the file, the folder and the source.

    >>> find_weights("canny")
    []
    """
    detector, options = DETECTORS[kind], options or Options()
    places = [Path(folder) for folder in folders]
    names = detector.files if kind != "openpose" else tuple((name,) for name in pose.files_for(options.pose_parts))
    return [find_file(choice, places, kind, detector.source) for choice in names]


def _as_picture(found: np.ndarray) -> np.ndarray:
    """A map of 0..255, grey or RGB, as a float picture."""
    rgb = found if found.ndim == 3 else np.repeat(found[..., None], 3, axis=2)
    return np.clip(rgb.astype(np.float32) / 255, 0, 1)
