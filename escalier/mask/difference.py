"""A matte of what differs from the empty room."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.film import FrameSource, Size


@checked
def difference_matte(
    frame: np.ndarray,
    plate: np.ndarray,
    *,
    threshold: float = 24.0,
    softness: float = 16.0,
    blur_px: float = 1.0,
    ignore_shadows: float = 0.5,
) -> np.ndarray:
    """The matte of a frame against its clean plate.

    Parameters
    ----------
    frame, plate
        RGB pictures (H, W, 3) of one size, uint8 or float32 0..1: the shot, and the same view without the subject.
    threshold
        Difference, in levels of 255, at which the matte is one half. Larger values take in less.
    softness
        Width of the ramp around the threshold in levels. 0 makes a hard mask.
    blur_px
        Sigma of a low-pass before the comparison, against grain. Larger values lose thin parts.
    ignore_shadows
        0..1: how little a change of brightness counts where the colour stays the same, as in a shadow on the floor. At
        1 only colour counts, and a grey subject before a grey wall is lost.

    Returns
    -------
    float32 (H, W) 0..1.

    Raises
    ------
    ValueError
        When the sizes differ, a picture is not RGB, a number is NaN, or a dial is out of range.

    >>> plate = np.full((8, 8, 3), 60, np.uint8)
    >>> frame = plate.copy()
    >>> frame[2:6, 2:6] = (200, 60, 60)
    >>> float(difference_matte(frame, plate, blur_px=0).sum())
    16.0
    """
    _check_dials(threshold, softness, blur_px, ignore_shadows, "difference_matte")
    for name, picture in (("frame", frame), ("plate", plate)):
        _check_picture(name, picture)
    if frame.shape != plate.shape:
        raise ValueError(
            f"difference_matte: plate must be {Size.of(frame)} like the frame, got {Size.of(plate)}; "
            "make the plate from the same clip"
        )
    change = _levels(frame) - _levels(plate)
    if blur_px > 0:
        change = cv2.GaussianBlur(change, (0, 0), blur_px)
    brightness = change.mean(axis=2, keepdims=True)
    colour = np.square(change - brightness).sum(axis=2)
    shade = 3 * np.square(brightness[..., 0]) * np.float32(1 - ignore_shadows) ** 2
    distance = np.sqrt(colour + shade)
    if softness == 0:
        return (distance >= threshold).astype(np.float32)
    return np.clip((distance - threshold) / softness + 0.5, 0, 1).astype(np.float32)


@checked
def difference_mattes(
    film: FrameSource,
    plate: FrameSource,
    *,
    threshold: float = 24.0,
    softness: float = 16.0,
    blur_px: float = 1.0,
    ignore_shadows: float = 0.5,
    progress: Callable[..., object] | None = None,
) -> Iterator[np.ndarray]:
    """The mattes of a film against its clean plate, frame by frame: float32 (H, W).

    Parameters
    ----------
    film, plate
        The shot, and the same view without the subject: one picture, or one for each frame where the camera moves.
    progress
        Called as progress(done, total, matte) after each frame; what it raises ends the film.

    The other parameters are those of `difference_matte`.

    >>> from escalier.film.frames import ArrayFrames
    >>> film = ArrayFrames(np.full((2, 8, 8, 3), 60, np.uint8))
    >>> [float(matte.max()) for matte in difference_mattes(film, film)]
    [0.0, 0.0]
    """
    caller = "difference_mattes"
    if len(plate) not in (1, len(film)):
        raise ValueError(
            f"{caller}: plate must have 1 or {len(film)} pictures, one for each frame, got {len(plate)}; "
            "make the plate from the same clip"
        )
    _check_dials(threshold, softness, blur_px, ignore_shadows, caller)
    return _mattes(film, plate, threshold, softness, blur_px, ignore_shadows, progress)


def _mattes(
    film: FrameSource,
    plate: FrameSource,
    threshold: float,
    softness: float,
    blur_px: float,
    ignore_shadows: float,
    progress: Callable[..., object] | None,
) -> Iterator[np.ndarray]:
    for i in range(len(film)):
        matte = difference_matte(
            film.frame(i),
            plate.frame(i if len(plate) > 1 else 0),
            threshold=threshold,
            softness=softness,
            blur_px=blur_px,
            ignore_shadows=ignore_shadows,
        )
        if progress is not None:
            progress(i + 1, len(film), matte)
        yield matte


def _check_dials(threshold: float, softness: float, blur_px: float, ignore_shadows: float, caller: str) -> None:
    for name, value, most in (
        ("threshold", threshold, 255),
        ("softness", softness, 255),
        ("blur_px", blur_px, np.inf),
        ("ignore_shadows", ignore_shadows, 1),
    ):
        if not 0 <= value <= most:
            raise ValueError(f"{caller}: {name} must be in 0..{most:g}, got {value:g}; move it back into range")


def _levels(picture: np.ndarray) -> np.ndarray:
    return picture.astype(np.float32) * np.float32(1 if picture.dtype == np.uint8 else 255)


def _check_picture(name: str, picture: np.ndarray) -> None:
    if picture.ndim != 3 or picture.shape[2] != 3:
        raise ValueError(
            f"difference_matte: {name} must be an RGB picture (height, width, 3), got the shape {picture.shape}; "
            "convert it to RGB first"
        )
    if picture.dtype not in (np.uint8, np.float32):
        raise TypeError(f"difference_matte: {name} must be uint8 or float32, got {picture.dtype}; convert it first")
    if picture.dtype == np.float32 and not np.isfinite(picture).all():
        raise ValueError(
            f"difference_matte: {name} must hold finite numbers, got NaN or infinity; check the node it comes from"
        )
