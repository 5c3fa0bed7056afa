"""Carry a mask from one frame to the next: along the motion, as far as the picture confirms it.

Optical flow smears the subject's motion over what is beside it, and knows nothing of what was hidden. So near the
outline several explanations of a pixel compete, each believed as far as the two frames agree under it: the flow, the
motion of the subject next to it, the subject's motion as a whole, and the background remembered at that place. What
none of them explains is left uncertain; `settle` decides it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np

from escalier.film.motion import Motion, sampling_positions, visibility, warp

from .affine_motion import Affine, affine_flow, fit_affine
from .background_memory import BackgroundMemory, Camera, just_uncovered
from .carried import Carried, box_around, distance_to_outline
from .nearest_flow import flow_of_nearest, which_motion
from .picture_match import difference, same, without_grain
from .settle import settle
from .small_frames import SmallFrames

REACH_PX = 28.0
"""How far from the outline explanations compete. A subject moves less than this from frame to frame."""
MARGIN_PX = 32
MATCH_TOLERANCE, MEMORY_TOLERANCE = 11.0, 10.0
"""8-bit levels over the grain at which an explanation is hardly believed any more."""
NOISE_FACTOR = 2.5
"""The grain: this much of the median difference of what is seen in both frames."""
DECAY = np.float32(0.995)
"""Trust left after each frame."""
MEMORY_SHARE = np.float32(0.9)
"""Trust in the background memory, beside the flow's 1."""
FAR_FROM_SUBJECT_PX = 30.0
UNCOVERED_ODDS = 2.5
TRACED_PROTECTS = 1.5

Refinement = Callable[[int, Carried], Carried]


class Carrier:
    """Carries a mask through the film, frame after frame, in one direction.

    Parameters
    ----------
    frames, motion, camera
        The film at the motion's working size; its motion; its camera.
    mask
        float32 (H, W) 0..1 at that size, at frame `start`.
    towards
        1 or -1.
    refine
        Called with each frame's index and what was carried there; gives it back improved.
    """

    def __init__(
        self,
        frames: SmallFrames,
        motion: Motion,
        camera: Camera,
        mask: np.ndarray,
        start: int,
        towards: int,
        refine: Refinement | None = None,
    ) -> None:
        self.index = start
        self.state = Carried.prompted(mask)
        self._frames, self._motion, self._camera = frames, motion, camera
        self._towards, self._refine = towards, refine
        self._memory = BackgroundMemory(frames[start], self.state.label, self.state.trust)
        self._body: Affine | None = None

    def advance(self) -> Carried:
        """Go on to the next frame."""
        before, now = self.index, self.index + self._towards
        size = self._motion.working_size
        flow, back = self._motion.flow(now, before, size), self._motion.flow(before, now, size)
        moved = self._moved(before, now, flow, back)
        settled = settle(self._frames[now], moved, partial(self._evidence, now, moved))
        kept = (settled.label * moved.label > 0) & (np.abs(settled.label) > 0.3)
        state = Carried(settled.label, settled.trust, moved.traced * kept)
        if self._refine is not None:
            state = self._refine(now, state)
        self._memory.learn(without_grain(self._frames[now]), state.label, state.trust)
        self.index, self.state = now, state
        return state

    def _moved(self, before: int, now: int, flow: np.ndarray, back: np.ndarray) -> Carried:
        """The state at frame `now`, before it is settled."""
        state = self.state
        label, trust, traced = (warp(part, flow) for part in (state.label, state.trust, state.traced))
        distance = warp(distance_to_outline(state.label), flow)
        look_before, look = without_grain(self._frames[before]), without_grain(self._frames[now])
        differs = difference(look, warp(look_before, flow))
        seen = visibility(flow, back)
        # A vector that disagrees with the one back is still good for a label if its error stays on one side.
        gap = np.linalg.norm(flow + warp(back, flow), axis=2)
        good = cv2.erode((seen | ((distance > gap + 4) & (differs < 12))).view(np.uint8), np.ones((3, 3), np.uint8)) > 0
        around = (label < -0.5) & (distance > FAR_FROM_SUBJECT_PX)
        camera = self._camera.flow(now, before, around)
        self._memory.move(camera)

        believed = np.where(good & (differs < 25), 1, np.where(differs < 12, 0.9, 0.6)).astype(np.float32)
        followed = np.where(seen & (differs < 25), 1, np.where(differs < 12, 0.9, 0.3)).astype(np.float32)
        # Far from the subject, what was around it stays around it, whatever moves there.
        least = np.where(label < 0, np.minimum(trust, np.float32(0.4)), 0)
        far = Carried(label, np.maximum(trust * believed, least), traced * followed)
        nearness = np.clip(2 * (1 - distance / np.float32(REACH_PX)), 0, 1)
        region = box_around(nearness > 0, MARGIN_PX)
        if region is None:
            return Carried(far.label, far.trust * DECAY, far.traced * DECAY)
        noise = NOISE_FACTOR * float(np.median(differs[seen])) + 1 if seen.any() else 1.0
        near = self._explained(
            region,
            flow,
            look,
            look_before,
            Carried(label, trust, traced),
            good * same(differs, noise, MATCH_TOLERANCE),
            distance,
            noise,
        )
        share = nearness[region]
        for whole, part in zip((far.label, far.trust, far.traced), (near.label, near.trust, near.traced), strict=True):
            whole[region] += share * (part - whole[region])
        return Carried(far.label, far.trust * DECAY, far.traced * DECAY)

    def _explained(
        self,
        region: tuple[slice, slice],
        flow: np.ndarray,
        look: np.ndarray,
        look_before: np.ndarray,
        warped: Carried,
        flow_fits: np.ndarray,
        distance: np.ndarray,
        noise: float,
    ) -> Carried:
        """What the best explanations say about the pixels of a region."""
        fits = flow_fits[region]
        label, trust, traced = (part[region] for part in (warped.label, warped.trust, warped.traced))
        votes = _Votes(label, trust * fits, traced * fits)
        remembered = MEMORY_SHARE * self._memory.recognises(look, noise, MEMORY_TOLERANCE)[region]
        votes.add(np.full_like(label, -1), remembered, remembered)
        inner = (trust * fits > 0.4) & (distance[region] > 3) & (label > 0)
        for candidate in self._body_flows(flow, region, inner):
            if candidate is None:
                continue
            x, y = sampling_positions(candidate)
            sampled = partial(
                cv2.remap,
                map1=x + np.float32(region[1].start),
                map2=y + np.float32(region[0].start),
                interpolation=cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )
            # Only where the flow itself fails: elsewhere it is the finer one.
            agrees = same(difference(look[region], sampled(look_before)), noise, MATCH_TOLERANCE) * (1 - fits)
            state = self.state
            votes.add(sampled(state.label), sampled(state.trust) * agrees, sampled(state.traced) * agrees)
        return votes.result()

    def _body_flows(
        self, flow: np.ndarray, region: tuple[slice, slice], inner: np.ndarray
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        """The subject's motion carried on over its outline, and its motion as a whole in the frame before."""
        nearest = flow_of_nearest(flow[region], inner)
        shape = inner.shape
        offset = np.array([region[1].start, region[0].start, 1.0])
        whole = None
        if self._body is not None:
            here = self._body.copy()
            here[2] = offset @ self._body
            whole = affine_flow(here, shape)
        fitted = fit_affine(flow[region], inner)
        if fitted is not None:  # too little is left of a body that goes behind something: it keeps its last motion
            fitted[2] -= offset[:2] @ fitted[:2]
            self._body = fitted
        return nearest, whole

    def _evidence(self, now: int, moved: Carried, region: tuple[slice, slice], known: np.ndarray) -> np.ndarray:
        """Log odds for the subject from the frames before and after."""
        odds = which_motion(self._frames, self._motion, now, region, moved.label[region], known)
        uncovered = just_uncovered(
            self._frames, self._camera, now, self._towards, moved.around(FAR_FROM_SUBJECT_PX), region
        )
        # A foot that comes to rest also lies still from then on; but it was followed there.
        protected = TRACED_PROTECTS * np.sqrt(moved.traced[region]) * np.maximum(moved.label[region], 0)
        return odds - UNCOVERED_ODDS * uncovered * np.clip(1 - protected, 0, 1)


class _Votes:
    """For every pixel the best vote for the subject and the best one against it."""

    def __init__(self, label: np.ndarray, trust: np.ndarray, traced: np.ndarray) -> None:
        self._trust = [np.zeros_like(label), np.zeros_like(label)]
        self._traced = [np.zeros_like(label), np.zeros_like(label)]
        self.add(label, trust, traced)

    def add(self, label: np.ndarray, trust: np.ndarray, traced: np.ndarray) -> None:
        for side, sign in enumerate((1, -1)):
            np.maximum(self._trust[side], np.maximum(sign * label, 0) * trust, out=self._trust[side])
            np.maximum(self._traced[side], np.where(sign * label > 0, traced, 0), out=self._traced[side])

    def result(self) -> Carried:
        """Votes of the same weight on both sides leave the pixel uncertain."""
        subject, around = self._trust
        label = (subject - around) / (subject + around + np.float32(0.01))
        clear = np.minimum(1, np.float32(1.02) * np.abs(label))
        traced = np.where(label > 0, self._traced[0], self._traced[1])
        return Carried(label, np.maximum(subject, around) * clear, traced * clear)
