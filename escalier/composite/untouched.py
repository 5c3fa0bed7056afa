"""How far the body was left alone when it was moved into another room: figures, and a picture of where it was not."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.film import Film, Masks, MaskSource, as_uint8, check_lengths, frame_at
from escalier.progress import Progress
from escalier.refusals import Refusal

from . import pictures

ERODE_PX = 4
"""Pixels nearer than this to the edge of the mask are the rim's business, not the body's."""
FULL_SCALE = 16.0
"""Levels of 255 that the picture of changes shows at full brightness."""
FIGURES = ("gradient_change", "colour_shift_mean", "colour_shift_95", "change_outside")


@dataclass(frozen=True)
class Untouched:
    """What one frame's composite did to the body and to the room. All figures are in levels of 255.

    Attributes
    ----------
    gradient_change
        Mean |gradient of x - gradient of S| inside the eroded mask, over both directions and all channels: how much of
        the body's drawing changed. 0 for a pure shift of colour.
    colour_shift_mean, colour_shift_95
        Mean and 95th percentile of the largest change of any channel, inside the mask.
    change_outside
        The largest change outside the mask. Anything but 0 is a fault.
    picture
        uint8 (H, W, 3): the result in grey, with the body's changed gradients in red and changes outside in blue.
    """

    gradient_change: float
    colour_shift_mean: float
    colour_shift_95: float
    change_outside: float
    picture: np.ndarray

    def __str__(self) -> str:
        return (
            f"gradients {self.gradient_change:.2f}, colours {self.colour_shift_mean:.1f} "
            f"(95 %: {self.colour_shift_95:.1f}), outside {self.change_outside:g} levels of 255"
        )


@checked
def measure_untouched(
    result: np.ndarray, source: np.ndarray, target: np.ndarray, mask: np.ndarray, *, erode_px: int = ERODE_PX
) -> Untouched:
    """Compare a composite with the body it was made from and the room it was put into.

    Parameters
    ----------
    result, source, target
        RGB pictures (H, W, 3) of one size, uint8 or float32 0..1: the composite, the filmed body, the new room.
    mask
        (H, W), the mask of the blend. The body is where it is opaque, 0.95 and more (at least one half, where it is
        opaque nowhere): in hair and blur the new room rightly shows through. Outside is where it is 0.
    erode_px
        How far from the edge of the mask the body begins, for the gradients.

    Raises
    ------
    ValueError, TypeError
        When the pictures or the mask do not fit each other.

    >>> room, body = np.zeros((9, 9, 3), np.uint8), np.full((9, 9, 3), 100, np.uint8)
    >>> mask = np.zeros((9, 9), bool)
    >>> mask[2:7, 2:7] = True
    >>> report = measure_untouched(np.where(mask[..., None], body - 10, room), body, room, mask, erode_px=1)
    >>> report.gradient_change, report.colour_shift_mean, report.change_outside
    (0.0, 10.0, 0.0)
    """
    for name, picture in (("result", result), ("source", source), ("target", target)):
        pictures.check_picture(picture, name)
        pictures.check_same_size(result, "result", picture, name)
    if erode_px < 0:
        raise Refusal("erode_px", "be >= 0 px", erode_px, "0 takes the whole mask")
    matte = pictures.coverage(mask, result)
    opaque, outside = matte >= pictures.OPAQUE, matte == 0
    inside = opaque if opaque.any() else matte >= 0.5
    change, room_change = _levels(result) - _levels(source), np.abs(_levels(result) - _levels(target)).max(axis=2)
    shift = np.abs(change).max(axis=2)
    square = np.ones((2 * int(erode_px) + 1,) * 2, np.uint8)
    # The picture's border is no edge of the body.
    body = cv2.erode(inside.view(np.uint8), square, borderType=cv2.BORDER_REPLICATE).view(np.bool_)
    return Untouched(
        gradient_change=_gradient_change(change, body),
        colour_shift_mean=float(shift[inside].mean()) if inside.any() else 0.0,
        colour_shift_95=float(np.percentile(shift[inside], 95)) if inside.any() else 0.0,
        change_outside=float(room_change[outside].max()) if outside.any() else 0.0,
        picture=_picture(result, _redrawn(change, inside), np.where(outside, room_change, 0)),
    )


@dataclass(frozen=True)
class UntouchedFilm:
    """What a film's composite did to body and room: the figures of every frame, float64 (N,), and one picture.

    Attributes
    ----------
    gradient_change, colour_shift_mean, colour_shift_95, change_outside
        As in `Untouched`, one for each frame.
    frame
        The frame that was changed most: outside, or nowhere outside and in its drawing.
    picture
        `Untouched.picture` of that frame.
    """

    gradient_change: np.ndarray
    colour_shift_mean: np.ndarray
    colour_shift_95: np.ndarray
    change_outside: np.ndarray
    frame: int
    picture: np.ndarray

    def __str__(self) -> str:
        worst = int(self.change_outside.argmax())
        outside = f"nothing, in all {len(self.change_outside)} frames"
        if self.change_outside[worst]:
            touched = int(np.count_nonzero(self.change_outside))
            outside = f"CHANGED in {touched} frames, by up to {self.change_outside[worst]:g} levels at frame {worst}"
        most = int(self.gradient_change.argmax())
        drawing, worst_drawing = self.gradient_change.mean(), self.gradient_change[most]
        colours, strongest = self.colour_shift_mean.mean(), self.colour_shift_95.mean()
        return (
            f"changed outside the mask: {outside}\n"
            f"body's drawing: {drawing:.2f} levels of 255, at most {worst_drawing:.2f} at frame {most}\n"
            f"body's colours: {colours:.1f} levels on average, {strongest:.1f} for the strongest twentieth\n"
            f"picture: frame {self.frame}"
        )


@checked
def measure_untouched_film(
    result: Film,
    source: Film,
    target: Film,
    masks: MaskSource,
    *,
    erode_px: int = ERODE_PX,
    progress: Progress | None = None,
) -> UntouchedFilm:
    """Compare a film of composites, frame by frame, with what it was made from.

    Parameters
    ----------
    result, source, target, masks, erode_px
        As in `measure_untouched`. Source, target and masks may have a single frame, which stands for all.
    progress
        Called as progress(done, total, picture) after each frame; what it raises passes through.

    Raises
    ------
    ValueError, TypeError
        As `measure_untouched`, and when the lengths differ.

    >>> from escalier.film import ArrayFrames
    >>> film = ArrayFrames(np.full((2, 8, 8, 3), 90, np.uint8))
    >>> measure_untouched_film(film, film, film, np.ones((1, 8, 8))).change_outside.tolist()
    [0.0, 0.0]
    """
    check_lengths(len(result), source=source, target=target, mask=masks)
    masks = Masks.of(masks)
    figures = np.zeros((len(FIGURES), len(result)))
    most, frame, picture = (-1.0, -1.0), 0, np.empty(0)
    for i in range(len(result)):
        report = measure_untouched(
            result.frame(i), frame_at(source, i), frame_at(target, i), masks.at(i), erode_px=erode_px
        )
        figures[:, i] = [getattr(report, name) for name in FIGURES]
        here = (report.change_outside, report.gradient_change)
        if here > most:
            most, frame, picture = here, i, report.picture
        if progress is not None:
            progress(i + 1, len(result), report.picture)
    return UntouchedFilm(**dict(zip(FIGURES, figures, strict=True)), frame=frame, picture=picture)


def _levels(picture: np.ndarray) -> np.ndarray:
    return picture.astype(np.float32) * np.float32(1 if picture.dtype == np.uint8 else 255)


def _gradient_change(change: np.ndarray, body: np.ndarray) -> float:
    """Mean |gradient of the change| over the edges between two pixels of the body."""
    total, count = 0.0, 0
    for axis in (0, 1):
        both = body[1:] & body[:-1] if axis == 0 else body[:, 1:] & body[:, :-1]
        total += float(np.abs(np.diff(change, axis=axis)[both]).sum(dtype=np.float64))
        count += int(both.sum()) * change.shape[2]
    return total / count if count else 0.0


def _redrawn(change: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The largest |gradient of the change| at every pixel of the mask, towards its right and lower neighbours."""
    across, down = (np.abs(np.diff(change, axis=axis)).max(axis=2) for axis in (1, 0))
    redrawn = np.zeros(inside.shape, np.float32)
    redrawn[:, :-1] = np.where(inside[:, 1:], across, 0)
    redrawn[:-1] = np.maximum(redrawn[:-1], np.where(inside[1:], down, 0))
    return np.where(inside, redrawn, 0)


def _picture(result: np.ndarray, body_change: np.ndarray, room_change: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(as_uint8(result), cv2.COLOR_RGB2GRAY).astype(np.float32) / 2
    red, blue = (np.clip(change / FULL_SCALE, 0, 1)[..., None] for change in (body_change, room_change))
    picture = grey[..., None] * (1 - np.maximum(red, blue))
    picture = picture + red * np.array([255, 40, 40]) + blue * np.array([40, 80, 255])
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)
