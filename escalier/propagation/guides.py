"""What a match must respect: colour, edge, position, the previous frame, the subject's mask, and guides of one's own.

A guide is a pair of pictures, one of the keyframe's frame (source) and one of the frame to be made (target). A patch of
the keyframe may be copied to a place of the new frame where the two are alike in every guide. The channels and weights
are those of Jamriska et al., "Stylizing Video by Example" (SIGGRAPH 2019), section 3, as EbSynth's users know them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.dials import Dials, dial, dials_of
from escalier.film import (
    Film,
    Masks,
    MaskSource,
    ScaledFilm,
    Size,
    array_digest,
    as_uint8,
    film_fingerprint,
    scale_film,
    warp,
)
from escalier.refusals import Refusal

UNEXPLAINED_POWER = 4
"""The temporal guide weighs less by this power of the share of a frame that the flow explains."""
EDGE_SCALE_PX = 3.0
"""Standard deviation of the blur that the edge guide subtracts, for a picture whose short side is 540 px."""
EXPLAINED_PX = 2.0
EXPLAINED_LEVELS = 2.5
"""8-bit levels of brightness, about 1 Delta E."""
SHOWN_LEVELS = 2.0
"""8-bit levels a pixel: what changes less counts for less, and what is blank for next to nothing."""
NEXT_TO_NOTHING = 1e-3


def _weight(default: float, sentence: str) -> Any:
    return dial(
        default,
        sentence,
        least=0,
        offered=(0, 100),
        step=0.1,
        rule="be a weight >= 0",
        remedy="use 0 to leave the guide out",
    )


@checked
@dataclass(frozen=True)
class NamedGuide:
    """A guide of the artist's own: a film of depth, pose or ids beside the one to restyle.

    Parameters
    ----------
    name
        For messages and for the record of a run.
    film
        As long and as large as the film that is restyled.
    weight
        Its share in the match, beside colour 6 and position 2. More makes it stricter.
    keyframes
        What the guide shows at each keyframe, in the keyframes' order, where this is not simply `film` at the
        keyframe's index: (H, W, 3) uint8 or float32 0..1.
    """

    name: str
    film: Film
    weight: float
    keyframes: tuple[np.ndarray, ...] | None = None


@checked
@dataclass(frozen=True)
class Guides(Dials):
    """The guides of a propagation with their weights. 0 leaves a guide out.

    >>> calm = Guides(temporal=2.0)
    >>> calm.colour, calm.temporal
    (6.0, 2.0)
    """

    colour: float = _weight(
        6.0,
        "How closely the brush follows the film's colours and shading. 6 as in EbSynth, where it is the main guide. "
        "Lower keeps more of the keyframe's own drawing.",
    )
    edge: float = _weight(
        0.5,
        "How closely strokes follow fine lines of the film, whatever their brightness. 0.5, because more brings the "
        "film's noise into the painting.",
    )
    position: float = _weight(
        2.0,
        "How firmly brush strokes stay at their place on the moving forms. 2 keeps their order; much more copies "
        "errors of the measured motion.",
    )
    temporal: float = _weight(
        0.7,
        "How much a frame resembles the one before. 0.7 calms the film; much more freezes and smears it. It counts "
        "less by itself where the film moves too fast to be followed.",
    )
    mask: float = _weight(
        6.0, "How strictly subject and set are kept apart when a mask is connected. 6, as strong as colour."
    )
    named: tuple[NamedGuide, ...] = field(default=())
    """Guides besides."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for guide in self.named:
            replace(dials_of(Guides)["colour"], name=guide.name).check(guide.weight, "Guides")
        if self.colour == 0 and self.position == 0 and not any(guide.weight > 0 for guide in self.named):
            remedy = "nothing would tell a patch where to go"
            raise Refusal("one of colour, position or the named guides", "weigh more than 0", "0 for all", remedy)

    def weights(self) -> dict[str, float]:
        """The weight of every guide by its name."""
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "named"}
        return own | {guide.name: guide.weight for guide in self.named}

    def with_guide(self, name: str, film: Film, weight: float, keyframes: Sequence[np.ndarray] | None = None) -> Guides:
        """The same guides and one more."""
        if name in self.weights():
            raise Refusal("name", "be new", f"{name!r} a second time", "give this guide another name")
        extra = NamedGuide(name, film, weight, None if keyframes is None else tuple(keyframes))
        return replace(self, named=(*self.named, extra))

    def fingerprint(self) -> dict[str, object]:
        """What tells these guides from others, for the record of a run."""
        named = {
            guide.name: [film_fingerprint(guide.film)]
            + [array_digest(picture).hex() for picture in guide.keyframes or ()]
            for guide in self.named
        }
        return {"weights": self.weights(), "named": named}


def check_guides(guides: Guides, film: Film, keyframes: int) -> None:
    """Refuse named guides whose length or size does not fit the film."""
    for guide in guides.named:
        if len(guide.film) != len(film):
            remedy = "make it from the same clip, with the same trim"
            raise Refusal(f"guide {guide.name!r}", f"have {len(film)} frames like the film", len(guide.film), remedy)
        if guide.film.size != film.size:
            raise Refusal(f"guide {guide.name!r}", f"be {film.size} like the film", guide.film.size, "scale it")
        if guide.keyframes is None:
            continue
        if len(guide.keyframes) != keyframes:
            remedy = "give one for each keyframe, or none to take them from the guide's film"
            raise Refusal(f"guide {guide.name!r}", f"have {keyframes} keyframe pictures", len(guide.keyframes), remedy)
        for picture in guide.keyframes:
            if Size.of(picture) != film.size:
                raise Refusal(
                    f"keyframe pictures of guide {guide.name!r}", f"be {film.size}", Size.of(picture), "scale them"
                )


def edge_guide(frame: np.ndarray) -> np.ndarray:
    """A frame's fine drawing: its brightness minus itself blurred, float32 (H, W) round .5.

    Parameters
    ----------
    frame
        (H, W, 3), uint8 0..255 or float32 0..1.

    >>> flat = np.full((20, 20, 3), 200, np.uint8)
    >>> round(float(edge_guide(flat).max()), 3)
    0.5
    """
    grey = cv2.cvtColor(as_uint8(frame), cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    scale = EDGE_SCALE_PX * min(grey.shape) / 540
    return np.clip(grey - cv2.GaussianBlur(grey, (0, 0), max(1.0, scale)) + 0.5, 0.0, 1.0)


def still_positions(size: Size) -> np.ndarray:
    """The position of every pixel in its own frame: float32 (H, W, 2), (x, y) in pixels.

    >>> still_positions(Size(3, 2))[1].tolist()
    [[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]]
    """
    x, y = np.meshgrid(np.arange(size.width, dtype=np.float32), np.arange(size.height, dtype=np.float32))
    return np.stack([x, y], axis=-1)


def position_guide(positions: np.ndarray) -> np.ndarray:
    """Positions in the keyframe, float32 (H, W, 2) in pixels, as fractions 0..1 of the picture's longer side.

    They stay float: in 8 bits a step would be 3.8 px wide in a picture of 960.

    >>> position_guide(np.full((90, 160, 2), 80, np.float32))[0, 0].tolist()
    [0.5, 0.5]
    """
    longer = max(positions.shape[0], positions.shape[1])
    return np.clip(positions / np.float32(longer), 0.0, 1.0)


def explained_share(frame: np.ndarray, before: np.ndarray, flow: np.ndarray, visible: np.ndarray) -> float:
    """How much of a frame the frame before explains, 0..1: what is visible in both and looks the same.

    Fast motion is where the temporal guide misleads: a stylised frame carried along by a wrong flow costs energy and
    sharpness. Brightness is compared after a blur, so that a camera's noise does not count. What shows something counts
    alone: any flow explains a blank wall, and a frame of which half is wall would seem well explained.

    Parameters
    ----------
    frame, before
        RGB (H, W, 3), uint8 0..255 or float32 0..1.
    flow, visible
        From `frame` to `before`, float32 (H, W, 2), and bool (H, W).

    >>> grey = np.full((16, 16, 3), 90, np.uint8)
    >>> explained_share(grey, grey, np.zeros((16, 16, 2), np.float32), np.arange(16) < np.full((16, 1), 12))
    0.75
    """
    one, other = (cv2.cvtColor(as_uint8(picture), cv2.COLOR_RGB2GRAY) for picture in (frame, before))
    change = cv2.GaussianBlur(warp(other, flow).astype(np.float32) - one, (0, 0), EXPLAINED_PX)
    soft = cv2.GaussianBlur(one.astype(np.float32), (0, 0), 1.0)
    slope = cv2.magnitude(*(cv2.Sobel(soft, cv2.CV_32F, *axis, scale=1 / 8) for axis in ((1, 0), (0, 1))))
    shown = np.minimum(slope / SHOWN_LEVELS, 1) + NEXT_TO_NOTHING
    return float(np.average(visible & (np.abs(change) < EXPLAINED_LEVELS), weights=shown))


class GuideFilm:
    """The guide pictures of one film, frame by frame; `Guides` weighs them."""

    def __init__(self, guides: Guides, film: Film, masks: MaskSource | None) -> None:
        self.guides = guides
        self.size = film.size
        self._film = film
        self._masks = None if masks is None else Masks.of(masks)

    def at(self, size: Size) -> GuideFilm:
        """The same guides of the film at another size."""
        if size == self._film.size:
            return self
        named = tuple(
            replace(
                guide,
                film=ScaledFilm(guide.film, size),
                keyframes=guide.keyframes and tuple(scale_film(as_uint8(picture), size) for picture in guide.keyframes),
            )
            for guide in self.guides.named
        )
        masks = None if self._masks is None else self._masks.scaled(size)
        return GuideFilm(replace(self.guides, named=named), ScaledFilm(self._film, size), masks)

    def frame(self, index: int) -> np.ndarray:
        """What was filmed, uint8 (H, W, 3)."""
        return as_uint8(self._film.frame(index))

    def names(self) -> list[str]:
        """The guides in use, in the order of `of_keyframe` and `of_frame`."""
        weights = self.guides.weights()
        return [name for name in weights if weights[name] > 0 and (name != "mask" or self._masks is not None)]

    def weights(self, explained: float = 1.0) -> list[float]:
        """The guides' weights, in the same order; `explained` is the share of the frame that the flow explains."""
        weights = self.guides.weights()
        weights["temporal"] *= explained**UNEXPLAINED_POWER
        return [weights[name] for name in self.names()]

    def explained(self, index: int, before: int, flow: np.ndarray, visible: np.ndarray) -> float:
        """`explained_share` of frame `index`, with the flow to frame `before` and what is visible there."""
        return explained_share(self._film.frame(index), self._film.frame(before), flow, visible)

    def of_keyframe(self, index: int, order: int, picture: np.ndarray) -> list[np.ndarray]:
        """Source guides: the keyframe at frame `index`, the `order`-th of the keyframes, painted as `picture`."""
        named = {g.name: g.film.frame(index) if g.keyframes is None else g.keyframes[order] for g in self.guides.named}
        return self._pictures(index, position_guide(still_positions(self._film.size)), picture, named)

    def of_frame(self, index: int, positions: np.ndarray, previous: np.ndarray) -> list[np.ndarray]:
        """Target guides of frame `index`; those of position and of the previous frame are as the flow carried them."""
        named = {g.name: g.film.frame(index) for g in self.guides.named}
        return self._pictures(index, positions, previous, named)

    def mask(self, index: int) -> np.ndarray | None:
        """The subject's mask in frame `index`, float32 (H, W) 0..1, or None where there are no masks."""
        if self._masks is None:
            return None
        mask = self._masks.at(index)
        return mask.astype(np.float32) / np.float32(255 if mask.dtype == np.uint8 else 1)

    def _pictures(
        self, index: int, positions: np.ndarray, stylised: np.ndarray, named: dict[str, np.ndarray]
    ) -> list[np.ndarray]:
        pictures = dict(named)
        names = self.names()
        frame = self._film.frame(index)
        pictures["colour"] = frame
        pictures["temporal"] = stylised
        if "edge" in names:
            pictures["edge"] = edge_guide(frame)
        if "position" in names:
            pictures["position"] = positions
        if "mask" in names and self._masks is not None:
            pictures["mask"] = self._masks.at(index)
        return [pictures[name] for name in names]
