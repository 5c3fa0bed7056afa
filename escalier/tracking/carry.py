"""Carry a mask from one frame to the next: along the motion, as far as the picture confirms it.

Optical flow smears the subject's motion over what is beside it, and knows nothing of what was hidden. So near the
outline several explanations of a pixel compete, each believed as far as the two frames agree under it: the flow, the
motion of the subject next to it, the subject's motion as a whole, and the background remembered at that place. What
none of them explains is left uncertain; `resolve_uncertain` decides it.

Two facts speak against what the flow says. What appears where the flow and the one back disagree, and lies still from
then on, is the set that the subject has uncovered. And what was only guessed to be set, but moves, is not.

Plain cloth looks still wherever it goes, and black cloth like a black stage. So neither lying still nor looking like
the set speaks against a pixel that the flow carries on with the subject, both ways; nor does lying still against one in
the subject's own colours, where the subject itself looks still. Where something else moves nearby, none of this holds:
what is carried on may be the other thing.

One fact speaks for a guess: what was taken for the subject and goes on moving with it, where nothing else moves, is it.
Such a pixel comes to count as traced, so that it is kept when it comes to rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np

from escalier.film import sampling_positions, visibility, warp
from escalier.mask import Box, box_around

from .affine_motion import Affine, affine_flow, fit_affine
from .background_memory import BackgroundMemory, Camera, just_uncovered
from .colour_model import ColourSample, LocalColours
from .mask_state import MaskState, distance_to_outline
from .moving_parts import moving, moving_like, others_moving
from .nearest_flow import flow_of_nearest, which_motion
from .picture_match import difference, same, without_grain
from .resolve_uncertain import COLOUR_ODDS, firmness, resolve_uncertain
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
UNCOVERED_ODDS, UNCOVERED_TRUST = np.float32(2.5), np.float32(0.8)
HARDLY_UNCOVERED = 0.05
"""Below this, the colours of what lies still are not asked."""
STILL_WINDOW_PX = 49
"""Around each pixel: the part of the subject that shows whether its cloth looks still while it moves."""
MOVING_ODDS = np.float32(3.0)
TRACED_PROTECTS = 1.5
SHADED_SHARE, SHADED_TOLERANCE = np.float32(0.8), 30.0
"""Trust in a flow that agrees with the one back, where the pixel has changed its brightness; and how much it may."""
UNSEEN_SHARE = np.float32(0.3)
"""What counts as traced where the flow and the one back disagree: the pixel may have been uncovered."""
REGAINED = np.float32(0.3)
"""Share of what it lacks that a guess regains in each frame in which it is seen to move with the subject."""
OTHERS_SPOIL = np.float32(4)
"""Something else that moves near a pixel speaks this much against regaining: it may move with the subject by chance."""
COLOURS_KEPT = 8
"""Frames whose colours are remembered."""

Refinement = Callable[[int, MaskState], MaskState]


class Carrier:
    """Carries a mask through the film, frame after frame, in one direction.

    Parameters
    ----------
    frames, camera
        The film at its motion's working size, with that motion; its camera.
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
        camera: Camera,
        mask: np.ndarray,
        start: int,
        towards: int,
        refine: Refinement | None = None,
    ) -> None:
        self.index = start
        self.state = MaskState.prompted(mask)
        self._frames, self._camera = frames, camera
        self._towards, self._refine = towards, refine
        self._memory = BackgroundMemory(frames[start], self.state.label, self.state.trust)
        self._body: Affine | None = None
        self._colours = [ColourSample.of(frames[start], self.state.label)]
        self._odds, self._confirmed = np.zeros((2, *mask.shape), np.float32)

    def advance(self) -> MaskState:
        """Go on to the next frame."""
        before, now = self.index, self.index + self._towards
        flow, back = self._frames.flow(now, before), self._frames.flow(before, now)
        moved = self._moved(before, now, flow, back)
        resolved = resolve_uncertain(self._frames[now], moved, partial(self._evidence, now, moved), self._colours)
        kept = (resolved.label * moved.label > 0) & (np.abs(resolved.label) > 0.3)
        state = self._regained(MaskState(resolved.label, resolved.trust, moved.traced * kept), kept)
        if self._refine is not None:
            state = self._refine(now, state)
        known = state.label * np.minimum(state.traced, firmness(state))
        self._colours = [*self._colours, ColourSample.of(self._frames[now], known)][-COLOURS_KEPT:]
        self._memory.learn(without_grain(self._frames[now]), state.label, state.trust)
        self.index, self.state = now, state
        return state

    def _moved(self, before: int, now: int, flow: np.ndarray, back: np.ndarray) -> MaskState:
        """The state at frame `now`, before what is uncertain in it is resolved."""
        state = self.state
        label, trust, traced = (warp(part, flow) for part in (state.label, state.trust, state.traced))
        distance = warp(distance_to_outline(state.label), flow)
        look_before, look = (without_grain(self._frames[before]), without_grain(self._frames[now]))
        differs = difference(look, warp(look_before, flow))
        seen = visibility(flow, back)
        # A vector that disagrees with the one back is still good for a label if its error stays on one side.
        gap = np.linalg.norm(flow + warp(back, flow), axis=2)
        good = cv2.erode((seen | ((distance > gap + 4) & (differs < 12))).view(np.uint8), np.ones((3, 3), np.uint8)) > 0
        around = (label < -0.5) & (distance > FAR_FROM_SUBJECT_PX)
        camera = self._camera.flow(now, before, around)
        self._memory.move(camera)
        relative = flow if camera is None else flow - camera

        believed = np.where(good & (differs < 25), 1, np.where(differs < 12, 0.9, 0.6)).astype(np.float32)
        followed = np.where(seen & (differs < 25), 1, np.where(differs < 12, 0.9, 0.3)).astype(np.float32)
        # Far from the subject, what was around it stays around it, whatever moves there.
        least = np.where(label < 0, np.minimum(trust, np.float32(0.4)), 0)
        far = MaskState(label, np.maximum(trust * believed, least), traced * followed)
        nearness = np.clip(2 * (1 - distance / np.float32(REACH_PX)), 0, 1)
        self._odds, self._confirmed = np.zeros((2, *label.shape), np.float32)
        if not nearness.any():
            return MaskState(far.label, far.trust * DECAY, far.traced * DECAY)
        region = box_around(nearness, MARGIN_PX)
        noise = NOISE_FACTOR * float(np.median(differs[seen])) + 1 if seen.any() else 1.0
        shaded = SHADED_SHARE * seen * same(differs, noise, SHADED_TOLERANCE)
        fits = good * np.maximum(same(differs, noise, MATCH_TOLERANCE), shaded)
        warped = MaskState(label, trust, traced)
        others = others_moving(relative, label, distance)
        around_it = (label < 0) & (distance > FAR_FROM_SUBJECT_PX)
        uncovered, still = just_uncovered(self._frames, self._camera, now, self._towards, around_it, region)
        step = _Step(
            now, flow, relative, seen, fits, look, look_before, warped, distance, noise, uncovered, still, others
        )
        near = self._explained(region, step)
        share = nearness[region]
        for whole, part in zip((far.label, far.trust, far.traced), (near.label, near.trust, near.traced), strict=True):
            whole[region] += share * (part - whole[region])
        return MaskState(far.label, far.trust * DECAY, far.traced * DECAY)

    def _regained(self, state: MaskState, kept: np.ndarray) -> MaskState:
        """A guess that the motion confirms, frame after frame, comes to count as traced."""
        gain = REGAINED * self._confirmed * (kept & (state.label > 0))
        return MaskState(state.label, state.trust + gain * (1 - state.trust), state.traced + gain * (1 - state.traced))

    def _explained(self, region: Box, step: _Step) -> MaskState:
        """What the best explanations say about the pixels of a region."""
        fits, seen, relative, distance = (part[region] for part in (step.fits, step.seen, step.relative, step.distance))
        label, trust, traced = (part[region] for part in (step.warped.label, step.warped.trust, step.warped.traced))
        # A guess that something is set is not believed where it moves.
        trust = trust + moving(relative) * (label < 0) * (np.minimum(trust, traced) - trust)
        followed = traced * fits * np.where(seen, 1, UNSEEN_SHARE)
        votes = _Votes(label, trust * fits, followed)
        # A foot that comes to rest also lies still from then on; but it was followed there.
        protected = TRACED_PROTECTS * np.sqrt(followed) * np.maximum(label, 0)
        # Where the flow carries the subject on, both ways, its outline has not passed. But where something else moves
        # nearby, what is carried on may be that.
        alone = 1 - step.others[region]
        passed = 1 - fits * seen * np.maximum(label, 0) * alone
        uncovered = step.uncovered * passed * np.clip(1 - protected, 0, 1)
        tells_nothing = alone * _share_of(step.still, followed * np.maximum(label, 0))
        uncovered *= 1 - tells_nothing * self._worn(step.now, region, uncovered > HARDLY_UNCOVERED)
        votes.add(np.full_like(label, -1), UNCOVERED_TRUST * uncovered, np.zeros_like(label))
        remembered = MEMORY_SHARE * passed * self._memory.recognises(step.look, step.noise, MEMORY_TOLERANCE)[region]
        votes.add(np.full_like(label, -1), remembered, remembered)
        inner = (trust * fits > 0.4) & (distance > 3) & (label > 0)
        nearest, whole = self._body_flows(step.flow, region, inner)
        self._odds[region] = -UNCOVERED_ODDS * uncovered
        if nearest is not None:
            subject = relative + nearest - step.flow[region]
            free = seen * (1 - traced * fits * (label < 0)) * alone
            likely = free * moving_like(relative, subject)
            self._odds[region] += MOVING_ODDS * likely
            undisturbed = np.maximum(0, 1 - OTHERS_SPOIL * step.others[region])
            self._confirmed[region] = likely * fits * undisturbed * (1 - uncovered) * np.maximum(label, 0)
        for candidate in (nearest, whole):
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
            agrees = same(difference(step.look[region], sampled(step.look_before)), step.noise, MATCH_TOLERANCE) * (
                1 - fits
            )
            state = self.state
            votes.add(sampled(state.label), sampled(state.trust) * agrees, sampled(state.traced) * agrees)
        return votes.result()

    def _worn(self, now: int, region: Box, where: np.ndarray) -> np.ndarray:
        """How far the pixels `where` have the colours of the subject there in the last frames, 0..1; 0 elsewhere."""
        worn = np.zeros(where.shape, np.float32)
        if where.any():
            here = ColourSample.of(np.ascontiguousarray(self._frames[now][region]), worn)
            colours = LocalColours([here, *(sample.part(region) for sample in self._colours)])
            worn[where] = np.clip(colours.log_odds(here.lab, where) / COLOUR_ODDS, 0, 1)
        return worn

    def _body_flows(
        self, flow: np.ndarray, region: Box, inner: np.ndarray
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

    def _evidence(self, now: int, moved: MaskState, region: Box, known: np.ndarray) -> np.ndarray:
        """Log odds for the subject from the frames before and after."""
        odds = which_motion(self._frames, now, region, moved.label[region], known)
        return odds + self._odds[region]


@dataclass(frozen=True, eq=False)
class _Step:
    """What is known about a frame and the one before it; arrays of the whole picture (`uncovered`, `still`: region)."""

    now: int
    flow: np.ndarray
    relative: np.ndarray  # the flow less the camera's
    seen: np.ndarray
    fits: np.ndarray
    look: np.ndarray
    look_before: np.ndarray
    warped: MaskState
    distance: np.ndarray
    noise: float
    uncovered: np.ndarray
    still: np.ndarray
    others: np.ndarray


def _share_of(still: np.ndarray, subject: np.ndarray) -> np.ndarray:
    """How much of the subject around each pixel looks still, 0..1: so far, lying still tells nothing there."""
    window = (STILL_WINDOW_PX, STILL_WINDOW_PX)
    return cv2.blur(still * subject, window) / (cv2.blur(subject, window) + np.float32(1e-3))


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

    def result(self) -> MaskState:
        """Votes of the same weight on both sides leave the pixel uncertain."""
        subject, around = self._trust
        label = (subject - around) / (subject + around + np.float32(0.01))
        clear = np.minimum(1, np.float32(1.02) * np.abs(label))
        traced = np.where(label > 0, self._traced[0], self._traced[1])
        return MaskState(label, np.maximum(subject, around) * clear, traced * clear)
