"""Subject and set as two plates that cannot copy from each other, joined again by the mask's own edge."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from escalier.film import Size, warp
from escalier.pyebsynth import Synthesis

from .guides import position_guide, still_positions

if TYPE_CHECKING:
    from escalier.pyebsynth import SubPixelPainter

SUBJECT, SET = "subject", "set"

MARGIN_PX = 12.0
"""How far DIS smears the motion of one side into the other, for a picture whose short side is 540 px."""
SMALLEST_MARGIN_PX = 4
SMALLEST_SHARE = 0.02


class Plate:
    """One side of the picture, or all of it, and what each of its frames hands to the next.

    A plate remembers what the other side hides: it is carried along by the flow until it is seen again. For every frame
    it is first carried there, then painted.

    Parameters
    ----------
    keyframe
        The painted picture, uint8 (H, W, 3).
    side
        SUBJECT, SET, or None for a plate that is the whole picture.
    mask
        The subject's mask at the keyframe, float32 (H, W) 0..1; None for the whole picture.
    patch_size
        A side that does not show one whole patch in the keyframe may be copied from anywhere.
    painter
        Copies patches from between the keyframe's pixels; None to copy whole pixels only.
    """

    def __init__(
        self,
        keyframe: np.ndarray,
        side: str | None,
        mask: np.ndarray | None,
        patch_size: int,
        painter: SubPixelPainter | None = None,
    ) -> None:
        self.picture = keyframe
        self.whole_picture = keyframe
        """As the engine makes it, of whole pixels. The temporal guide carries this one, the sharper."""
        self.error = np.zeros(keyframe.shape[:2], np.float32)
        self._side = side
        self.places = still_positions(Size.of(keyframe))
        """float32 (H, W, 2), (x, y) in the keyframe: the matches, finer than whole pixels where there is a painter."""
        self._positions = position_guide(self.places)
        self._reach = np.ones((2 * (patch_size // 2) + 1,) * 2, np.uint8)
        self.nnf: np.ndarray | None = None
        """int32 (H, W, 2), (row, column) in the keyframe, negative where this plate has not been painted."""
        self._visible = np.ones(keyframe.shape[:2], bool)
        self._own = None if mask is None else self._side_of(mask)
        self._source_mask = None if self._own is None else _source_mask(self._own, patch_size)
        self._painter = painter and painter.within(self._source_mask)

    def carry(self, flow: np.ndarray, visible: np.ndarray, mask: np.ndarray | None) -> None:
        """Move all of it to where it lies in the next frame.

        Parameters
        ----------
        flow, visible
            From the new frame to the one before: float32 (H, W, 2), and bool (H, W).
        mask
            The subject's mask in the new frame, float32 (H, W) 0..1; None for the whole picture.
        """
        if mask is not None:
            flow, visible = self._follow(flow, visible, mask)
        self._visible = visible
        # Zeros take no memory until they are written; the error of the frame before is freed.
        self.error = np.zeros(self.error.shape, np.float32)
        self._positions = warp(self._positions, flow)
        # Cubic, because linear sampling would soften the picture anew in every frame.
        self.whole_picture = warp(self.whole_picture, flow, cv2.INTER_CUBIC)
        self.places = warp(self.places, flow)
        if self.nnf is not None:
            self.nnf = carry_nnf(self.nnf, flow)
            self.nnf[~visible] = -1

    def paint(
        self, frame: np.ndarray, mask: np.ndarray | None, warm_levels: int, synthesis: Callable[..., Synthesis]
    ) -> None:
        """Make the frame that it was carried to.

        Parameters
        ----------
        frame
            What was filmed, uint8 (H, W, 3).
        mask
            As for `carry`.
        warm_levels
            See `Matching`.
        synthesis
            Called as synthesis(position guide, carried picture, **masks and start for `synthesise`).
        """
        options: dict[str, Any] = {}
        if self.nnf is not None and warm_levels:
            options = {"initial_nnf": self.nnf, "warm_levels": warm_levels}
        if mask is None:
            made = synthesis(self._positions, self.whole_picture, **options)
            self.picture, self.places = self._between_pixels(made, frame, None)
            self.whole_picture, self.nnf, self.error = made.image, made.nnf, made.guide_error
            return
        own = mask > 0 if self._side == SUBJECT else mask < 1
        wanted = cv2.dilate(own.astype(np.uint8), self._reach) > 0
        if not wanted.any():
            self.picture = self.whole_picture
            return
        masks = {"source_mask": self._source_mask, "target_mask": wanted}
        made = synthesis(self._positions, self.whole_picture, **masks, **options)
        picture, places = self._between_pixels(made, frame, wanted)
        here = wanted[..., None]
        self.picture = np.where(here, picture, self.whole_picture)
        self.whole_picture = np.where(here, made.image, self.whole_picture)
        self.places = np.where(here, places, self.places)
        self.nnf = np.where(here, made.nnf, -1 if self.nnf is None else self.nnf)
        self.error = made.guide_error

    def state(self) -> dict[str, np.ndarray]:
        """What it hands to the next frame; what is not in it follows from the keyframe or is set anew by `carry`."""
        state = {"whole_picture": self.whole_picture, "places": self.places, "positions": self._positions}
        if self.nnf is not None:
            state["nnf"] = self.nnf
        if self._own is not None:
            state["own"] = self._own
        return state

    def go_on_from(self, state: dict[str, np.ndarray]) -> None:
        """Take up what `state` gave."""
        self.whole_picture, self.places, self._positions = state["whole_picture"], state["places"], state["positions"]
        self.nnf, self._own = state.get("nnf"), state.get("own")

    def _between_pixels(
        self, made: Synthesis, frame: np.ndarray, wanted: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The picture and its places, finer than the whole pixels that the engine counts in."""
        if self._painter is None:
            return made.image, made.nnf[..., ::-1].astype(np.float32)
        carried = np.where(self._visible[..., None], self.places, np.float32(np.nan))
        places = self._painter.locate(frame, made.nnf, carried)
        return self._painter.paint(places, made.image, wanted), places

    def _follow(self, flow: np.ndarray, visible: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """This side's own motion, and what of it was seen on this side before."""
        own = self._side_of(mask)
        margin = max(SMALLEST_MARGIN_PX, round(MARGIN_PX * min(mask.shape) / 540))
        flow, sure = own_flow(flow, own, margin)
        before = own if self._own is None else warp(self._own.astype(np.float32), flow) > 0.5
        self._own = own
        return flow, before & (visible | ~sure)

    def _side_of(self, mask: np.ndarray) -> np.ndarray:
        return mask >= 0.5 if self._side == SUBJECT else mask < 0.5


def _source_mask(own: np.ndarray, patch_size: int) -> np.ndarray | None:
    from escalier.pyebsynth import forbidden_centres  # brings numba, which importing the pack must not

    return None if forbidden_centres(own, patch_size).all() else own


def own_flow(flow: np.ndarray, own: np.ndarray, margin: int) -> tuple[np.ndarray, np.ndarray]:
    """A side's flow, without what the other side's motion does to it at the border, and where it was measured.

    Optical flow is smooth over a few pixels: next to a moving subject the set seems to move with it. There, and where
    the other side hides this one, the flow is that of the nearest parts of this side.

    Parameters
    ----------
    flow
        float32 (H, W, 2), in pixels.
    own
        bool (H, W): this side.
    margin
        Width in px of the border that is not believed.

    Returns
    -------
    tuple
        The flow, float32 (H, W, 2), and bool (H, W): where it is as it was given.

    >>> flow = np.zeros((40, 60, 2), np.float32)
    >>> flow[:, 28:] = (5, 0)                         # the subject, and 2 px of the set that seem to go with it
    >>> still, sure = own_flow(flow, np.tile(np.arange(60) < 30, (40, 1)), margin=4)
    >>> float(np.abs(still).max()), bool(sure[:, :26].all()), bool(sure[:, 26:].any())
    (0.0, True, False)
    """
    # The rim of the picture is no border between the sides.
    sure = cv2.erode(own.astype(np.uint8), np.ones((2 * margin + 1,) * 2, np.uint8), borderValue=1) > 0
    if sure.all() or not sure.any():
        return flow, np.full_like(sure, sure.any() or own.all())
    # Normalised convolution at growing scales: near the border by its neighbours, far from it by wider means.
    filled = np.broadcast_to(flow[sure].mean(axis=0), flow.shape).copy()
    weight = sure.astype(np.float32)
    for scale in (16 * margin, 4 * margin, margin):
        share = cv2.GaussianBlur(weight, (0, 0), scale)[..., None]
        mean = cv2.GaussianBlur(flow * weight[..., None], (0, 0), scale)
        filled = np.where(share > SMALLEST_SHARE, mean / np.maximum(share, SMALLEST_SHARE), filled)
    return np.where(sure[..., None], flow, filled).astype(np.float32), sure


def plates_of(
    keyframe: np.ndarray, mask: np.ndarray | None, patch_size: int, painter: SubPixelPainter | None = None
) -> list[Plate]:
    """The plates of a run: subject and set where there is a mask of the keyframe, else the whole picture.

    >>> [len(plates_of(np.zeros((9, 9, 3), np.uint8), mask, 5)) for mask in (None, np.ones((9, 9), np.float32))]
    [1, 2]
    """
    sides = (None,) if mask is None else (SUBJECT, SET)
    return [Plate(keyframe, side, mask, patch_size, painter) for side in sides]


def join(pictures: list[np.ndarray], mask: np.ndarray | None) -> np.ndarray:
    """The picture that the plates make together, uint8 (H, W, 3): the subject has the weight of the mask.

    >>> join([np.full((1, 1, 3), level, np.uint8) for level in (200, 100)], np.float32([[0.25]])).tolist()
    [[[125, 125, 125]]]
    """
    if len(pictures) == 1 or mask is None:
        return pictures[0]
    subject, scene = pictures
    weight = mask[..., None]
    return np.rint(subject * weight + scene * (1 - weight)).astype(np.uint8)


def joint_error(plates: list[Plate], mask: np.ndarray | None) -> np.ndarray:
    """The guide error of the side that is seen more, float32 (H, W)."""
    if len(plates) == 1 or mask is None:
        return plates[0].error
    return np.where(mask >= 0.5, plates[0].error, plates[1].error)


def carry_nnf(nnf: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """The matches of one frame, moved to where its pixels lie in the next.

    Parameters
    ----------
    nnf
        int32 (H, W, 2), (row, column) into the keyframe.
    flow
        float32 (H, W, 2), from the new frame to the old one, (dx, dy).

    >>> nnf = np.stack(np.mgrid[:4, :5], axis=-1).astype(np.int32)
    >>> carry_nnf(nnf, np.full((4, 5, 2), (1, 0), np.float32))[2].tolist()
    [[2, 1], [2, 2], [2, 3], [2, 4], [2, 4]]
    """
    # OpenCV takes no integers of 32 bits here; the nearest is only copied, whatever its bits mean.
    return warp(nnf.view(np.float32), flow, cv2.INTER_NEAREST).view(np.int32)
