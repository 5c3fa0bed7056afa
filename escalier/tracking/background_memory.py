"""What lies behind the subject: remembered from when it was seen, found out from when it will be.

Two facts about a set that the camera looks at. What was once seen as background and now looks the same again is
background. And what the subject has just uncovered lies still from then on, while the subject moves away.
"""

from __future__ import annotations

import cv2
import numpy as np

from escalier.film import warp
from escalier.mask import Box

from .affine_motion import Affine, affine_flow, chain_affine, fit_affine
from .picture_match import difference, same, without_grain
from .small_frames import SmallFrames

STILL_CAMERA_PX = 0.1
"""A camera that moves less than this from frame to frame, in any corner, stands still: nothing is resampled."""
FOLLOWS_LIGHT = np.float32(0.5)
"""How fast the memory follows a change of light."""
LOOKED_AHEAD = (3, 6, 10)
LOOKED_BACK = (1, 3)
SAME_LEVELS = 4.0
STILL_TOLERANCE = 10.0


class Camera:
    """The camera's motion between frames at the working size, found when it is first asked for."""

    def __init__(self, frames: SmallFrames) -> None:
        self._frames = frames
        self._shape = (frames.size.height, frames.size.width)
        self._steps: dict[tuple[int, int], Affine] = {}

    def flow(self, i: int, j: int, around: np.ndarray) -> np.ndarray | None:
        """The flow from frame i to j if only the camera moved, float32 (H, W, 2); None where it stands still.

        `around` is bool (H, W): pixels of frame i that do not belong to the subject, nor lie close to it.
        """
        towards = 1 if j > i else -1
        total = self._step(i, i + towards, around)
        for k in range(i + towards, j, towards):
            total = chain_affine(total, self._step(k, k + towards, around))
        flow = affine_flow(total, self._shape)
        return flow if np.abs(flow).max() > STILL_CAMERA_PX else None

    def _step(self, i: int, j: int, around: np.ndarray) -> Affine:
        if (i, j) not in self._steps:
            fitted = fit_affine(self._frames.flow(i, j), around)
            self._steps[i, j] = np.zeros((3, 2)) if fitted is None else fitted
        return self._steps[i, j]


class BackgroundMemory:
    """The background as it looked when it was last seen, in the place where the camera shows it now.

    Parameters
    ----------
    picture
        The first frame, uint8 (H, W, 3).
    label, trust
        (H, W) float32: 1 in the subject, -1 in the background; and how sure that is, 0..1.
    """

    def __init__(self, picture: np.ndarray, label: np.ndarray, trust: np.ndarray) -> None:
        self._look = without_grain(picture)
        self._seen = np.zeros(label.shape, np.float32)
        self.learn(self._look, label, trust)

    def move(self, camera: np.ndarray | None) -> None:
        """Go to the next frame. `camera` is the flow from it back to this one, None where the camera stands still."""
        if camera is not None:
            self._look, self._seen = warp(self._look, camera), warp(self._seen, camera)

    def recognises(self, look: np.ndarray, floor: float, tolerance: float) -> np.ndarray:
        """How far each pixel looks like the background remembered there, 0..1; 0 where none was seen."""
        return same(difference(look, self._look), floor, tolerance) * self._seen

    def learn(self, look: np.ndarray, label: np.ndarray, trust: np.ndarray) -> None:
        """Remember what is background in this frame. `look` is the frame `without_grain`."""
        surely = ((label < -0.5) & (trust > 0.35)).view(np.uint8)
        inner = cv2.erode(surely, np.ones((5, 5), np.uint8)) > 0
        share = np.where(self._seen > 0.5, FOLLOWS_LIGHT, np.float32(1)) * inner
        self._look += share[..., None] * (look - self._look)
        self._seen = np.where(inner, np.maximum(self._seen, trust), self._seen)


def just_uncovered(
    frames: SmallFrames, camera: Camera, index: int, towards: int, around: np.ndarray, region: Box
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels that changed in the last frames and lie still in the next ones: the set, left behind by the subject.

    Parameters
    ----------
    frames, camera
        The film at the working size, and its camera.
    index, towards
        The frame, and the direction in which the mask is carried: 1 or -1.
    around
        bool (H, W), see `Camera.flow`.
    region
        The part of the picture that is asked about.

    Returns
    -------
    How surely each pixel is one of them; and how far it lies still from then on, changed or not. Plain cloth that moves
    does too. float32, of the region's shape, 0..1.
    """
    look = without_grain(frames[index][region])

    def change(step: int) -> np.ndarray:
        other = without_grain(frames[index + step])
        flow = camera.flow(index, index + step, around)
        return difference(look, (other if flow is None else warp(other, flow))[region])

    left = len(frames) - 1 - index if towards > 0 else index
    # Near the end of the film, as far ahead as it goes.
    ahead = [change(towards * k) for k in LOOKED_AHEAD if k <= left] or [change(towards * left)] if left else []
    back = [change(-towards * k) for k in LOOKED_BACK if 0 <= index - towards * k < len(frames)]
    if not ahead or not back:
        nothing = np.zeros(look.shape[:2], np.float32)
        return nothing, nothing
    still = same(np.min(ahead, axis=0), SAME_LEVELS, STILL_TOLERANCE)
    changed = 1 - same(np.max(back, axis=0), SAME_LEVELS, STILL_TOLERANCE)
    return still * changed, still
