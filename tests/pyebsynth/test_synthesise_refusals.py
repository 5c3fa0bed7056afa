"""What `synthesise` refuses: each by a sentence that names the argument and its value, before any work begins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from dial_arguments import with_matching

from escalier.pyebsynth import synthesise


def flat(height: int, width: int, *channels: int, dtype: Any = np.uint8) -> np.ndarray:
    return np.zeros((height, width, *channels), dtype)


STYLE, GUIDE, TARGET = flat(24, 32, 3), flat(24, 32, 2), flat(20, 28, 2)


def with_nan(height: int, width: int, channels: int) -> np.ndarray:
    picture = flat(height, width, channels, dtype=np.float32)
    picture[7, 5, 0] = np.nan
    return picture


def refuse(kind: type[Exception], match: str, **changed: Any) -> None:
    arguments = {"style": STYLE, "source_guides": [GUIDE], "target_guides": [TARGET], **changed}
    called: list[int] = []
    with pytest.raises(kind, match=r"^(synthesise|Matching): .*" + match):
        synthesise(**with_matching(**arguments), progress=lambda done, total: called.append(done))
    assert not called


@pytest.mark.parametrize(
    ("kind", "changed", "match"),
    [
        (TypeError, {"style": "keyframe.png"}, r"style must be a numpy array, got str; convert"),
        (TypeError, {"style": STYLE.astype(np.float64)}, r"style must be uint8 .* got float64; .*astype"),
        (TypeError, {"source_guides": [GUIDE.astype(np.int32)]}, r"source_guides\[0\] must be uint8 .* got int32"),
        (TypeError, {"target_guides": [TARGET.astype(bool)]}, r"target_guides\[0\] must be uint8 .* got bool"),
        (ValueError, {"style": STYLE[None]}, r"style must have the shape .* got \(1, 24, 32, 3\); .*not a batch"),
        (ValueError, {"style": flat(0, 32, 3)}, r"style must have the shape .* got \(0, 32, 3\)"),
        (ValueError, {"style": flat(24, 32, 5)}, r"style must have 1 to 4 channels, got 5; split"),
        (ValueError, {"style": flat(65536, 5)}, r"style must be at most 65535 px on a side, got 5x65536; scale"),
        (ValueError, {"style": with_nan(24, 32, 3)}, r"style must be finite, .* at row 7, column 5; repair"),
        (ValueError, {"source_guides": [with_nan(24, 32, 2)]}, r"source_guides\[0\] must be finite, .* row 7,"),
        (ValueError, {"target_guides": [with_nan(20, 28, 2)]}, r"target_guides\[0\] must be finite, .* row 7,"),
        (
            ValueError,
            {"style": np.full((24, 32, 3), np.inf, np.float32)},
            r"style must be finite, got NaN or infinity at row 0, column 0",
        ),
        (
            ValueError,
            {"style": np.full((24, 32, 3), 200, np.float32)},
            r"style must be float32 0\.\.1, got values from 200 to 200; divide .* by 255",
        ),
    ],
    ids=[
        "no array", "float64", "int32 guide", "bool guide", "batch", "empty", "channels", "too large", "NaN style",
        "NaN source guide", "NaN target guide", "infinity", "float of 8-bit values",
    ],
)  # fmt: skip
def test_a_picture_that_cannot_be_one_is_refused(kind: type[Exception], changed: dict[str, Any], match: str) -> None:
    refuse(kind, match, **changed)


@pytest.mark.parametrize(
    ("kind", "changed", "match"),
    [
        (TypeError, {"source_guides": GUIDE}, r"source_guides must be a sequence of pictures, got one array; .*list"),
        (ValueError, {"source_guides": [], "target_guides": []}, r"at least one each, got 0 and 0; give"),
        (ValueError, {"source_guides": [GUIDE] * 2}, r"must be as many, .* got 2 and 1; give"),
        (ValueError, {"source_guides": [GUIDE[..., 0]]}, r"guide 0 .* as many channels on both sides, got 1 .* and 2"),
        (ValueError, {"source_guides": [flat(24, 30, 2)]}, r"as large as the style, 32x24, got 30x24; scale"),
        (
            ValueError,
            {"source_guides": [GUIDE] * 2, "target_guides": [TARGET, flat(20, 30, 2)]},
            r"target_guides must all be of one size, got 30x20 for guide 1 and 28x20 for guide 0; scale",
        ),
    ],
    ids=["one array", "none", "unlike numbers", "unlike channels", "source of another size", "targets of two sizes"],
)
def test_guides_that_do_not_fit_are_refused(kind: type[Exception], changed: dict[str, Any], match: str) -> None:
    refuse(kind, match, **changed)


@pytest.mark.parametrize(
    ("kind", "changed", "match"),
    [
        (ValueError, {"weights": [1.0, 2.0]}, r"weights must be one for each guide, got 2 weights for 1 guides"),
        (TypeError, {"weights": 3.0}, r"weights must be .* got 3.0"),
        (ValueError, {"weights": [-1.0]}, r"weights must be >= 0, got -1.0 for guide 0; use 0"),
        (ValueError, {"weights": [0.0]}, r"weights must not all be 0, got \[0.0\]; give"),
        (ValueError, {"weights": [float("nan")]}, r"weights\[0\] must be finite, got nan"),
        (TypeError, {"weights": ["2"]}, r"weights\[0\] must be a number, got '2'"),
        (ValueError, {"style_weight": 0}, r"style_weight must be > 0, got 0; "),
        (ValueError, {"style_weight": -1.5}, r"style_weight must be > 0, got -1.5; "),
        (ValueError, {"style_weight": float("inf")}, r"style_weight must be a finite number, got inf"),
        (ValueError, {"uniformity": -1}, r"uniformity must be >= 0, got -1; use 0"),
        (ValueError, {"uniformity": float("nan")}, r"uniformity must be a finite number, got nan"),
        (ValueError, {"stop_threshold": -3.0}, r"stop_threshold must be >= 0, got -3.0; use 0"),
        (ValueError, {"patch_size": 4}, r"patch_size must be 3, 5 or 7, got 4; "),
        (TypeError, {"patch_size": 5.0}, r"patch_size must be .* got 5.0"),
        (ValueError, {"pyramid_levels": 0}, r"pyramid_levels must be >= 1, got 0; leave it out"),
        (ValueError, {"pyramid_levels": 6}, r"pyramid_levels must be 1 to 1 for 32x24 and 28x20 .* got 6: .*leave"),
        (ValueError, {"search_vote_iterations": 0}, r"search_vote_iterations must be >= 1, got 0; leave"),
        (TypeError, {"patchmatch_iterations": 2.5}, r"patchmatch_iterations must be a whole number or None, got 2.5"),
        (ValueError, {"search_radius": 0}, r"search_radius must be >= 1, got 0; leave it out"),
        (TypeError, {"warm_levels": None}, r"warm_levels must be a whole number, got None"),
        (ValueError, {"voting": "loud"}, r"voting must be one of plain, weighted, got loud; choose"),
        (ValueError, {"backend": "cuda"}, r"backend must be one of auto, cpu, .*original, got cuda; choose"),
        (TypeError, {"seed": 1.5}, r"seed must be a whole number, got 1.5"),
        (ValueError, {"threads": 0}, r"threads must be >= 1 and at most 256, got 0; leave it out"),
        (TypeError, {"threads": "2"}, r"threads must be a whole number, got '2'"),
    ],
    ids=lambda value: next((f"{k}={v}" for k, v in value.items()), "") if isinstance(value, dict) else "",
)
def test_a_dial_out_of_its_range_is_refused(kind: type[Exception], changed: dict[str, Any], match: str) -> None:
    refuse(kind, match, **changed)


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        (
            {"style": flat(4, 32, 3), "source_guides": [flat(4, 32, 2)]},
            r"style must be at least one patch of 5x5 px, got 32x4; .*smaller patch_size",
        ),
        ({"target_guides": [flat(20, 6, 2)], "patch_size": 7}, r"target_guides must be .* 7x7 px, got 6x20; "),
    ],
    ids=["style", "target"],
)
def test_a_patch_larger_than_a_picture_is_refused(changed: dict[str, Any], match: str) -> None:
    refuse(ValueError, match, **changed)


@pytest.mark.parametrize(
    ("kind", "given", "match"),
    [
        (ValueError, [], r"modulation must hold one picture or None for each guide, got 0 for 1 guides"),
        (ValueError, [GUIDE], r"modulation\[0\] must be 28x20 with 1 or 2 channels, got 32x24 with 2; make it"),
        (ValueError, [flat(20, 28, 3)], r"modulation\[0\] must be 28x20 with 1 or 2 channels, got 28x20 with 3"),
        (ValueError, [np.full((20, 28), -0.25, np.float32)], r"modulation\[0\] must be >= 0, got -0.25; use 0"),
        (ValueError, [with_nan(20, 28, 1)], r"modulation\[0\] must be finite, .* row 7, column 5"),
        (TypeError, [TARGET.astype(np.float64)], r"modulation\[0\] must be uint8 .* got float64"),
    ],
    ids=["number", "size", "channels", "negative", "NaN", "dtype"],
)
def test_a_modulation_that_does_not_fit_is_refused(kind: type[Exception], given: list[Any], match: str) -> None:
    refuse(kind, match, modulation=given)


@pytest.mark.parametrize(
    ("kind", "given", "match"),
    [
        (TypeError, np.zeros((20, 28, 2), np.float32), r"must be an array of whole numbers, got float32; round"),
        (TypeError, [[0, 0]], r"must be an array of whole numbers, got list"),
        (ValueError, np.zeros((24, 32, 2), np.int32), r"must have the shape \(20, 28, 2\), .* got \(24, 32, 2\)"),
        (ValueError, np.full((20, 28, 2), 24), r"must lie in the source, row 0 to 23, got 24; use -1"),
        (ValueError, np.full((20, 28, 2), (5, 32)), r"must lie in the source, column 0 to 31, got 32; use -1"),
    ],
    ids=["float", "list", "size", "row past the end", "column past the end"],
)
def test_an_initial_field_that_does_not_fit_is_refused(kind: type[Exception], given: Any, match: str) -> None:
    refuse(kind, "initial_nnf " + match, initial_nnf=given)


def narrow(height: int, width: int) -> np.ndarray:
    mask = np.zeros((height, width), bool)
    mask[:, 4:8] = True
    return mask


@pytest.mark.parametrize(
    ("kind", "changed", "match"),
    [
        (ValueError, {"source_mask": flat(20, 28)}, r"source_mask must be one channel of 32x24, got 28x20; .*style"),
        (ValueError, {"target_mask": flat(24, 32)}, r"target_mask must be one channel of 28x20, got 32x24; .*target"),
        (ValueError, {"source_mask": flat(24, 32, 1)}, r"source_mask must be one channel .* got \(24, 32, 1\)"),
        (TypeError, {"target_mask": TARGET[..., 0].astype(np.int64)}, r"target_mask must be a bool, .* got int64"),
        (TypeError, {"source_mask": [[True]]}, r"source_mask must be a bool, .* got list"),
        (ValueError, {"source_mask": flat(24, 32)}, r"source_mask must leave one whole patch of 5x5 .* none"),
        (ValueError, {"source_mask": narrow(24, 32)}, r"source_mask must leave one whole patch .*widen"),
        (ValueError, {"source_mask": with_nan(24, 32, 1)[..., 0]}, r"source_mask must be finite, .* row 7, column 5"),
        (ValueError, {"target_mask": flat(20, 28)}, r"target_mask must set a pixel, got an empty mask; leave it out"),
    ],
    ids=[
        "source size", "target size", "axis too many", "dtype", "list", "empty source", "narrower than a patch",
        "NaN", "empty target",
    ],
)  # fmt: skip
def test_a_mask_that_does_not_fit_is_refused(kind: type[Exception], changed: dict[str, Any], match: str) -> None:
    refuse(kind, match, **changed)
