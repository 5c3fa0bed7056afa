"""A matte of what differs from the empty room."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.dials import Dials, dial
from escalier.film import Film, Size, frame_at
from escalier.progress import Progress
from escalier.refusals import Refusal, TypeRefusal

REMEDY = "move it back into range"


def _level(default: float, sentence: str) -> float:
    return dial(default, sentence, least=0.0, most=255.0, step=1.0, rule="be in 0..255", remedy=REMEDY)


@checked
@dataclass(frozen=True)
class Difference(Dials):
    """From which difference on a pixel belongs to the matte."""

    threshold: float = _level(
        24.0,
        "Difference at which the matte is half grey, in levels of 255. Lower takes in more, and the film's grain with "
        "it.",
    )
    softness: float = _level(16.0, "Width of the soft step around the threshold, in levels. 0 makes a hard mask.")
    blur_px: float = dial(
        1.0,
        "Blurs both pictures before they are compared, against grain. More loses thin parts.",
        least=0.0,
        offered=(0.0, 100.0),
        step=0.5,
        unit="px",
        rule="be >= 0 px",
        remedy=REMEDY,
    )
    ignore_shadows: float = dial(
        0.5,
        "How little a change of brightness counts where the colour stays the same, as in a shadow. At 1 a grey subject "
        "before a grey wall is lost.",
        least=0.0,
        most=1.0,
        step=0.05,
        rule="be in 0..1",
        remedy=REMEDY,
    )


@checked
def difference_matte(frame: np.ndarray, plate: np.ndarray, dials: Difference | None = None) -> np.ndarray:
    """The matte of a frame against its clean plate.

    Parameters
    ----------
    frame, plate
        RGB pictures (H, W, 3) of one size, uint8 or float32 0..1: the shot, and the same view without the subject.
    dials
        From which difference on, and what of it counts.

    Returns
    -------
    float32 (H, W) 0..1.

    Raises
    ------
    ValueError
        When the sizes differ, a picture is not RGB, or a number is NaN.

    >>> plate = np.full((8, 8, 3), 60, np.uint8)
    >>> frame = plate.copy()
    >>> frame[2:6, 2:6] = (200, 60, 60)
    >>> float(difference_matte(frame, plate, Difference(blur_px=0)).sum())
    16.0
    """
    dials = dials or Difference()
    for name, picture in (("frame", frame), ("plate", plate)):
        _check_picture(name, picture)
    if frame.shape != plate.shape:
        raise Refusal(
            "plate", f"be {Size.of(frame)} like the frame", Size.of(plate), "make the plate from the same clip"
        )
    change = _levels(frame) - _levels(plate)
    if dials.blur_px > 0:
        change = cv2.GaussianBlur(change, (0, 0), dials.blur_px)
    brightness = change.mean(axis=2, keepdims=True)
    colour = np.square(change - brightness).sum(axis=2)
    shade = 3 * np.square(brightness[..., 0]) * np.float32(1 - dials.ignore_shadows) ** 2
    distance = np.sqrt(colour + shade)
    if dials.softness == 0:
        return (distance >= dials.threshold).astype(np.float32)
    return np.clip((distance - dials.threshold) / dials.softness + 0.5, 0, 1).astype(np.float32)


@checked
def difference_mattes(
    film: Film, plate: Film, dials: Difference | None = None, *, progress: Progress | None = None
) -> Iterator[np.ndarray]:
    """The mattes of a film against its clean plate, frame by frame: float32 (H, W).

    Parameters
    ----------
    film, plate
        The shot, and the same view without the subject: one picture, or one for each frame where the camera moves.
    dials
        As for `difference_matte`.
    progress
        Called as progress(done, total, matte) after each frame; what it raises ends the film.

    >>> from escalier.film import ArrayFrames
    >>> film = ArrayFrames(np.full((2, 8, 8, 3), 60, np.uint8))
    >>> [float(matte.max()) for matte in difference_mattes(film, film)]
    [0.0, 0.0]
    """
    if len(plate) not in (1, len(film)):
        rule = f"have 1 or {len(film)} pictures, one for each frame"
        raise Refusal("plate", rule, len(plate), "make the plate from the same clip")
    return _mattes(film, plate, dials, progress)


def _mattes(film: Film, plate: Film, dials: Difference | None, progress: Progress | None) -> Iterator[np.ndarray]:
    for i in range(len(film)):
        matte = difference_matte(film.frame(i), frame_at(plate, i), dials)
        if progress is not None:
            progress(i + 1, len(film), matte)
        yield matte


def _levels(picture: np.ndarray) -> np.ndarray:
    return picture.astype(np.float32) * np.float32(1 if picture.dtype == np.uint8 else 255)


def _check_picture(name: str, picture: np.ndarray) -> None:
    if picture.ndim != 3 or picture.shape[2] != 3:
        raise Refusal(
            name, "be an RGB picture (height, width, 3)", f"the shape {picture.shape}", "convert it to RGB first"
        )
    if picture.dtype not in (np.uint8, np.float32):
        raise TypeRefusal(name, "be uint8 or float32", picture.dtype, "convert it first")
    if picture.dtype == np.float32 and not np.isfinite(picture).all():
        raise Refusal(name, "hold finite numbers", "NaN or infinity", "check the node it comes from")
