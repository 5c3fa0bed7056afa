"""The arguments of `synthesise`, checked and brought into one fixed form. Every refusal says what to do."""

import math
from collections.abc import Sequence

import numpy as np

from escalier.refusals import Refusal, TypeRefusal, named

from .matching import Matching
from .problem import Problem
from .pyramid import largest_pyramid
from .regions import forbidden_centres

LARGEST_SIDE = 65535
"""Places in the source are kept in 16 bits each."""


@named("synthesise")
def build_problem(
    style: np.ndarray,
    source_guides: Sequence[np.ndarray],
    target_guides: Sequence[np.ndarray],
    *,
    weights: Sequence[float] | None = None,
    modulation: Sequence[np.ndarray | None] | None = None,
    matching: Matching | None = None,
    initial_nnf: np.ndarray | None = None,
    source_mask: np.ndarray | None = None,
    target_mask: np.ndarray | None = None,
    seed: int = 0,
) -> Problem:
    """Check the arguments of `synthesise` and make a `Problem` of them; raises ValueError or TypeError.

    `measure_energy` asks for one.

    >>> style, guide = np.random.default_rng(0).integers(0, 256, (2, 32, 40, 3), np.uint8)
    >>> build_problem(style, [guide], [guide]).pyramid_levels
    2
    """
    matching = Matching() if matching is None else matching
    if not isinstance(matching, Matching):
        raise TypeRefusal("matching", "be a Matching", type(matching).__name__, "make one of its dials")
    style = _picture("style", style)
    if not 1 <= style.shape[2] <= 4:
        raise Refusal("style", "have 1 to 4 channels", style.shape[2], "split the rest into a style of its own")
    sources, targets = _guides(style, source_guides, target_guides)
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise TypeRefusal("seed", "be a whole number", f"{seed!r}")
    source_size, target_size = style.shape[:2], targets[0].shape[:2]
    levels = _pyramid_levels(matching, source_size, target_size)
    return Problem(
        style=style,
        source_guides=sources,
        target_guides=targets,
        style_weight=matching.style_weight / style.shape[2],
        guide_weights=_weights(weights, sources),
        modulation=None if modulation is None else _modulation(modulation, targets),
        matching=matching,
        pyramid_levels=levels,
        initial_nnf=None if initial_nnf is None else _initial(initial_nnf, source_size, target_size),
        warm_levels=min(matching.warm_levels, levels),
        source_mask=_source_mask(source_mask, source_size, matching.patch_size),
        target_mask=_target_mask(target_mask, target_size),
        seed=seed,
    )


def _size(shape: Sequence[int]) -> str:
    return f"{shape[1]}x{shape[0]}"


def _picture(name: str, picture: np.ndarray) -> np.ndarray:
    """A picture as a contiguous, writeable (H, W, C) array."""
    if not isinstance(picture, np.ndarray):
        raise TypeRefusal(name, "be a numpy array", type(picture).__name__, "convert it first")
    if picture.dtype not in (np.uint8, np.float32):
        raise TypeRefusal(name, "be uint8 0..255 or float32 0..1", picture.dtype, "convert it with .astype")
    if picture.ndim not in (2, 3) or 0 in picture.shape:
        raise Refusal(name, "have the shape (H, W) or (H, W, C)", picture.shape, "pass one picture, not a batch")
    if max(picture.shape[:2]) > LARGEST_SIDE:
        raise Refusal(name, f"be at most {LARGEST_SIDE} px on a side", _size(picture.shape), "scale it down")
    if picture.dtype == np.float32:
        _check_levels(name, picture)
    picture = np.ascontiguousarray(picture.reshape(*picture.shape[:2], -1))
    # A read-only array (a memory map) is another type to numba and would compile every kernel again.
    return picture if picture.flags.writeable else picture.copy()


def _check_levels(name: str, picture: np.ndarray) -> None:
    low, high = float(picture.min()), float(picture.max())
    if not math.isfinite(low) or not math.isfinite(high):
        row, column = np.argwhere(~np.isfinite(picture))[0][:2]
        raise Refusal(name, "be finite", f"NaN or infinity at row {row}, column {column}", "repair those pixels")
    if low < -0.5 or high > 1.5:
        raise Refusal(name, "be float32 0..1", f"values from {low:g} to {high:g}", "divide 8-bit values by 255")


def _guides(
    style: np.ndarray, source_guides: Sequence[np.ndarray], target_guides: Sequence[np.ndarray]
) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    for name, guides in (("source_guides", source_guides), ("target_guides", target_guides)):
        if isinstance(guides, np.ndarray) and guides.ndim < 4:
            raise TypeRefusal(name, "be a sequence of pictures", "one array", "put it into a list")
        if not isinstance(guides, Sequence | np.ndarray):
            kind = type(guides).__name__
            raise TypeRefusal(name, "be a sequence of pictures", kind, "put the pictures into a list")
    if len(source_guides) != len(target_guides) or len(source_guides) == 0:
        rule, got = "be as many, at least one each", f"{len(source_guides)} and {len(target_guides)}"
        raise Refusal("source_guides and target_guides", rule, got, "give every guide a picture for both sides")
    sources = tuple(_picture(f"source_guides[{k}]", guide) for k, guide in enumerate(source_guides))
    targets = tuple(_picture(f"target_guides[{k}]", guide) for k, guide in enumerate(target_guides))
    for k, (source, target) in enumerate(zip(sources, targets, strict=True)):
        if source.shape[2] != target.shape[2]:
            got = f"{source.shape[2]} in the source and {target.shape[2]} in the target"
            raise Refusal(f"guide {k}", "have as many channels on both sides", got, "convert one of them")
        if source.shape[:2] != style.shape[:2]:
            rule = f"be as large as the style, {_size(style.shape)}"
            raise Refusal(f"source_guides[{k}]", rule, _size(source.shape), "scale it to the style")
        if target.shape[:2] != targets[0].shape[:2]:
            got = f"{_size(target.shape)} for guide {k} and {_size(targets[0].shape)} for guide 0"
            raise Refusal("target_guides", "all be of one size", got, "scale them to the target")
    return sources, targets


def _pyramid_levels(matching: Matching, source_size: tuple[int, int], target_size: tuple[int, int]) -> int:
    asked, patch_size = matching.pyramid_levels, matching.patch_size
    for name, size in (("style", source_size), ("target_guides", target_size)):
        if min(size) < patch_size:
            rule = f"be at least one patch of {patch_size}x{patch_size} px"
            raise Refusal(name, rule, _size(size), "use a smaller patch_size or larger pictures")
    largest = largest_pyramid(min(*source_size, *target_size), patch_size)
    if asked is not None and asked > largest:
        rule = f"be 1 to {largest} for {_size(source_size)} and {_size(target_size)} at patch size {patch_size}"
        raise Refusal("pyramid_levels", rule, f"{asked}: patches would be larger than half of a level", "leave it out")
    return largest if asked is None else int(asked)


def _weights(weights: Sequence[float] | None, guides: tuple[np.ndarray, ...]) -> tuple[float, ...]:
    if weights is None:
        weights = [1.0 / len(guides)] * len(guides)
    if isinstance(weights, (str, int, float)):
        raise TypeRefusal("weights", "be a sequence, one number for each guide", f"{weights!r}", "use a list")
    if len(weights) != len(guides):
        raise Refusal("weights", "be one for each guide", f"{len(weights)} weights for {len(guides)} guides")
    for k, weight in enumerate(weights):
        if isinstance(weight, bool) or not isinstance(weight, (int, float, np.integer, np.floating)):
            raise TypeRefusal(f"weights[{k}]", "be a number", f"{weight!r}")
        if not math.isfinite(weight):
            raise Refusal(f"weights[{k}]", "be finite", weight)
        if weight < 0:
            raise Refusal("weights", "be >= 0", f"{weight} for guide {k}", "use 0 to ignore a guide")
    if not any(weights):
        raise Refusal("weights", "not all be 0", list(weights), "give at least one guide a weight")
    return tuple(float(weight) / guide.shape[2] for weight, guide in zip(weights, guides, strict=True))


def _modulation(
    modulation: Sequence[np.ndarray | None], targets: tuple[np.ndarray, ...]
) -> tuple[np.ndarray | None, ...]:
    if len(modulation) != len(targets):
        raise Refusal(
            "modulation", "hold one picture or None for each guide", f"{len(modulation)} for {len(targets)} guides"
        )
    checked: list[np.ndarray | None] = []
    for k, (given, target) in enumerate(zip(modulation, targets, strict=True)):
        if given is None:
            checked.append(None)
            continue
        picture = _picture(f"modulation[{k}]", given)
        if picture.shape[:2] != target.shape[:2] or picture.shape[2] not in (1, target.shape[2]):
            rule, remedy = f"be {_size(target.shape)} with 1 or {target.shape[2]} channels", "make it from the target"
            raise Refusal(f"modulation[{k}]", rule, f"{_size(picture.shape)} with {picture.shape[2]}", remedy)
        levels = picture.astype(np.float32) / np.float32(255) if picture.dtype == np.uint8 else picture
        if levels.min() < 0:
            raise Refusal(f"modulation[{k}]", "be >= 0", f"{levels.min():g}", "use 0 to ignore a guide")
        checked.append(levels)
    return tuple(checked)


def _initial(nnf: np.ndarray, source_size: tuple[int, int], target_size: tuple[int, int]) -> np.ndarray:
    if not isinstance(nnf, np.ndarray) or nnf.dtype.kind not in "iu":
        kind = nnf.dtype if isinstance(nnf, np.ndarray) else type(nnf).__name__
        raise TypeRefusal("initial_nnf", "be an array of whole numbers", kind, "round it to int32")
    if nnf.shape != (*target_size, 2):
        rule = f"have the shape {(*target_size, 2)}, one match for each target pixel"
        raise Refusal("initial_nnf", rule, nnf.shape, "carry it over to the target's size")
    for axis, name in enumerate(("row", "column")):
        if nnf[..., axis].max() >= source_size[axis]:
            rule = f"lie in the source, {name} 0 to {source_size[axis] - 1}"
            raise Refusal("initial_nnf", rule, nnf[..., axis].max(), "use -1 for a pixel that starts cold")
    return nnf.astype(np.int32)


def _mask(name: str, mask: np.ndarray, size: tuple[int, int], like: str) -> np.ndarray:
    if not isinstance(mask, np.ndarray) or mask.dtype not in (np.bool_, np.uint8, np.float32):
        kind = mask.dtype if isinstance(mask, np.ndarray) else type(mask).__name__
        raise TypeRefusal(name, "be a bool, uint8 or float32 array", kind, "convert it first")
    if mask.shape != size:
        shape = _size(mask.shape) if mask.ndim == 2 else mask.shape
        raise Refusal(name, f"be one channel of {_size(size)}", shape, f"scale it to the {like}")
    if mask.dtype == np.float32 and not np.isfinite(mask).all():
        row, column = np.argwhere(~np.isfinite(mask))[0]
        raise Refusal(name, "be finite", f"NaN or infinity at row {row}, column {column}", "repair those pixels")
    return mask if mask.dtype == np.bool_ else mask >= (128 if mask.dtype == np.uint8 else 0.5)


def _source_mask(mask: np.ndarray | None, size: tuple[int, int], patch_size: int) -> np.ndarray | None:
    if mask is None:
        return None
    allowed = _mask("source_mask", mask, size, "style")
    if allowed.all():
        return None
    if forbidden_centres(allowed, patch_size).all():
        rule = f"leave one whole patch of {patch_size}x{patch_size} px to copy"
        raise Refusal("source_mask", rule, "none", "widen the mask or use a smaller patch_size")
    return allowed


def _target_mask(mask: np.ndarray | None, size: tuple[int, int]) -> np.ndarray | None:
    if mask is None:
        return None
    painted = _mask("target_mask", mask, size, "target")
    if not painted.any():
        raise Refusal("target_mask", "set a pixel", "an empty mask", "leave it out to paint all")
    return None if painted.all() else painted
