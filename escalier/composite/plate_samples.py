"""What other frames show of the room that one frame hides, and how far they can be believed.

Each pixel gets samples from frames that are spread over the film. Those that lie near their median agree; a pixel is
believed where three at least agree (two in a film of a few frames), more than half of its samples do, and the frames
that do are not all neighbours, so that a limb which a few masks forgot is outvoted or doubted, never averaged in.
Beside the hole the same samples say where the room never rests, and where the frame itself shows something that belongs
to the subject.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from escalier.film import Size
from escalier.mask import box_around

from .alignment import explain, follow, grown, into_view, moved_points, room_alone

ENOUGH = 9
"""Samples of a pixel after which no more frames are looked up for it."""
AGREE = 0.55
"""The share of a pixel's samples that must agree."""
NEIGHBOURS = 4
"""Samples of so many frames in a row are one sight, not several: of her as well as of the room."""
LEAST_TOLERANCE, MOST_TOLERANCE = 6.0, 16.0
"""Levels of 255 by which samples of one thing may differ, whatever the grain."""
GRAINS = 3.5
GRADIENT = 0.3
"""Of the contrast to the next pixel: so much may samples differ more, where edges are drawn between pixels."""
SPECKLE_PX = 7
RESTLESS = 0.3
"""The share of pixels beside the hole whose samples find no majority, where water, leaves or a crowd never rest."""
RESTLESS_NEAR_PX = (48, 24)
FORGOTTEN_LEVELS = 40.0
"""What differs so much from the room beside the mask is no shadow, but something of hers that the mask forgot."""
RESAMPLING_PX = 3
"""Border of a resampled frame that is not trusted: half the width of the interpolation."""
SAME_EXPOSURE = 0.01
"""Gains nearer to 1 than this are noise."""
GAINED = 0.9
"""A change of exposure must bring the frames together by so much to be one."""
REFINED_PX = 3.0
"""A refined alignment that leads further from the camera's motion is not believed."""


@dataclass(frozen=True)
class Consensus:
    """What the samples say of the part of the picture that was looked up; arrays (h, w, ...) of its size.

    room is float32 (h, w, 3), 0..255; agreeing counts the samples that make it, 0 where they are not believed; sampled
    counts all; restless is where the room never rests.
    """

    room: np.ndarray
    agreeing: np.ndarray
    sampled: np.ndarray
    restless: np.ndarray
    tolerance: np.ndarray


class PlateSamples:
    """One frame's hole and its surroundings, and the samples of them that other frames have given so far."""

    def __init__(self, picture: np.ndarray, hidden: np.ndarray, around_px: int, refine: bool) -> None:
        self.part = box_around(hidden, around_px)
        self.picture, self.hidden, self.refine = picture, hidden, refine
        near = np.zeros_like(hidden)
        near[self.part] = True
        self.near = near & ~hidden
        self.alone = room_alone(picture, ~hidden)
        shape = hidden[self.part].shape
        self.samples = np.zeros((ENOUGH, *shape, 3), np.float32)
        self.frames = np.zeros((ENOUGH, *shape), np.int32)
        self.count = np.zeros(shape, np.intp)

    @property
    def complete(self) -> bool:
        return bool((self.count[self.hidden[self.part]] >= ENOUGH).all())

    def look_up(self, index: int, there: np.ndarray, there_seen: np.ndarray, motion: np.ndarray) -> None:
        """Take samples from frame `index`; motion is where this frame's room lies in it."""
        moved, trusted = self.moved(there, there_seen, motion)
        new = trusted[self.part] & (self.count < ENOUGH)
        rows, columns = np.nonzero(new)
        self.samples[self.count[rows, columns], rows, columns] = levels(moved[self.part][rows, columns])
        self.frames[self.count[rows, columns], rows, columns] = index
        self.count[rows, columns] += 1

    def moved(self, there: np.ndarray, there_seen: np.ndarray, motion: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Another frame in this one's view and exposure, and where it shows the room."""
        if self.refine and not np.array_equal(motion, np.eye(3)):
            motion = self._refined(there, there_seen, motion)
        if not np.allclose(motion, np.round(motion), atol=1e-6):
            there_seen = there_seen.copy()
            there_seen[:RESAMPLING_PX] = there_seen[-RESAMPLING_PX:] = False
            there_seen[:, :RESAMPLING_PX] = there_seen[:, -RESAMPLING_PX:] = False
        moved, trusted = into_view(there, there_seen, motion, Size.of(self.hidden), cv2.INTER_LANCZOS4)
        return self._exposed_alike(moved, trusted & self.near), trusted

    def _refined(self, there: np.ndarray, there_seen: np.ndarray, motion: np.ndarray) -> np.ndarray:
        """The motion measured again around the hole, where near and far may move otherwise than on the whole."""
        alone = room_alone(there, there_seen)
        found = explain(follow(self.alone, self.near, alone, there_seen, motion, far=False))
        if found is None:
            return motion
        rows, columns = self.part
        corners = np.array([(x, y) for x in (columns.start, columns.stop) for y in (rows.start, rows.stop)])
        apart = np.abs(moved_points(found.motion, corners) - moved_points(motion, corners)).max()
        return found.motion if apart <= REFINED_PX else motion

    def _exposed_alike(self, moved: np.ndarray, both_seen: np.ndarray) -> np.ndarray:
        """The other frame with this one's exposure, where the two differ."""
        if both_seen.sum() < 100:
            return moved
        ours, theirs = levels(self.picture[both_seen]), levels(moved[both_seen])
        # What moves beside the subject pulls at a mean, hardly at the middle of all ratios.
        gain = np.median((ours + 1) / (theirs + 1), axis=0)
        better = np.median(np.abs(ours - gain * theirs)) < GAINED * np.median(np.abs(ours - theirs))
        if (np.abs(gain - 1) < SAME_EXPOSURE).all() or not better:
            return moved
        exposed = moved.astype(np.float32) * gain.astype(np.float32)
        return np.rint(np.clip(exposed, 0, 255)).astype(np.uint8) if moved.dtype == np.uint8 else exposed

    def consensus(self, length: int) -> Consensus:
        """What the samples say together; length is that of the film."""
        apart = min(NEIGHBOURS, length // 4)
        there = np.arange(ENOUGH)[:, None, None] < self.count
        middle = _median(self.samples, self.count)
        tolerance = self._tolerance(middle, there)
        agree = there & (np.abs(self.samples - middle).max(axis=3) <= tolerance)
        agreeing = agree.sum(axis=0)
        first = np.where(agree, self.frames, np.iinfo(np.int32).max).min(axis=0)
        last = np.where(agree, self.frames, -1).max(axis=0)
        least = 3 if length >= ENOUGH else 2
        believed = (agreeing >= least) & (agreeing > AGREE * self.count) & (last - first >= apart)
        believed &= cv2.blur(believed.astype(np.float32), (SPECKLE_PX, SPECKLE_PX)) > 0.5
        room = np.where(agree[..., None], self.samples, 0).sum(axis=0) / np.maximum(agreeing, 1)[..., None]
        room = np.where((agreeing > 0)[..., None], room, middle).astype(np.float32)
        restless = self._restless(agreeing <= AGREE * self.count, self.near[self.part] & (self.count >= 3))
        return Consensus(room, np.where(believed & ~restless, agreeing, 0), self.count, restless, tolerance)

    def _tolerance(self, middle: np.ndarray, there: np.ndarray) -> np.ndarray:
        """Levels by which samples of one thing may differ at each pixel: float32 (h, w)."""
        ring = self.near[self.part]
        apart = np.abs(self.samples[0] - levels(self.picture[self.part]))[ring & there[0]]
        # The calmest fifth of the surroundings shows the grain, also where the rest is water: .253 sigma if it is even.
        grain = float(np.quantile(apart, 0.2)) / 0.253 if apart.size else 0.0
        edges = cv2.morphologyEx(middle.max(axis=2), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
        return np.clip(GRAINS * grain, LEAST_TOLERANCE, MOST_TOLERANCE) + GRADIENT * edges.astype(np.float32)

    def _restless(self, disagree: np.ndarray, ring: np.ndarray) -> np.ndarray:
        """Where the room never rests, told from the surroundings of the hole and carried into it: bool (h, w)."""
        weight = ring.astype(np.float32)
        if not ring.any():
            return np.zeros_like(ring)
        share = np.full(ring.shape, float(disagree[ring].mean()), np.float32)
        for sigma in RESTLESS_NEAR_PX:
            near = cv2.GaussianBlur(weight, (0, 0), sigma)
            local = cv2.GaussianBlur(disagree.astype(np.float32) * weight, (0, 0), sigma) / np.maximum(near, 1e-6)
            sure = np.clip(near / 0.1, 0, 1)
            share = share * (1 - sure) + local * sure
        return share > RESTLESS

    def hers_beside(self, found: Consensus, shadow: float, reach_px: int) -> np.ndarray:
        """What beside the mask is not the room: a limb that the mask forgot, and a shadow. bool (H, W).

        shadow is the share of light that must be missing for a shadow; 0 leaves them. What no other frame shows is hers
        too, where two at least were asked.
        """
        out = np.zeros_like(self.hidden)
        if reach_px == 0:
            return out
        own, room = levels(self.picture[self.part]), found.room
        within = self.near[self.part] & grown(self.hidden, reach_px)[self.part]
        sure = within & (found.agreeing >= 3)
        apart = cv2.blur(own - room, (3, 3))
        limit = np.maximum(FORGOTTEN_LEVELS, 2 * found.tolerance)
        hers = sure & (np.abs(apart).max(axis=2) > limit)
        there = np.arange(ENOUGH)[:, None, None] < self.count
        unlike = (~there | (np.abs(self.samples - own).max(axis=3) > limit)).all(axis=0)
        hers |= unlike & within & (self.count >= 2) & ~found.restless
        if shadow:
            light, of_room = cv2.blur(own.mean(axis=2), (5, 5)), cv2.blur(room.mean(axis=2), (5, 5))
            darker = (light < (1 - shadow) * of_room) & (of_room - light > LEAST_TOLERANCE / 2)
            hers |= sure & darker & (apart.max(axis=2) < LEAST_TOLERANCE)
        hers = cv2.morphologyEx(hers.view(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        number, labels = cv2.connectedComponents(hers | self.hidden[self.part].view(np.uint8))
        touching = np.bincount(labels[self.hidden[self.part]], minlength=number) > 0
        touching[0] = False
        out[self.part] = grown(touching[labels] & (hers > 0), 2) & self.near[self.part]
        return out


def levels(picture: np.ndarray) -> np.ndarray:
    """A picture, or pixels of one, as float32 0..255."""
    return picture.astype(np.float32) * np.float32(1 if picture.dtype == np.uint8 else 255)


def _median(samples: np.ndarray, count: np.ndarray) -> np.ndarray:
    """The median of the first `count` samples of each pixel: float32 (h, w, 3), 0 where there is none."""
    out = np.zeros(samples.shape[1:], np.float32)
    for number in range(1, len(samples) + 1):
        here = count == number
        if here.any():
            out[here] = np.median(samples[:number, here], axis=0)
    return out
