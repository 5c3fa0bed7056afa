"""One colour for all sheets: what drifted between them is measured on anchor cells and taken back.

The same keyframe, painted on two sheets, shows pixel by pixel how their colours differ. One affine change of colour
(3x4) for each sheet is fitted to all such pairs at once. Matching the sheets' distributions of colour instead would
match their contents: it does more harm than drift as soon as something moves.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.film import Size
from escalier.refusals import Refusal

from .grid import GridPlan, split_cells

THUMBNAIL_PX = 48
"""The long side of the thumbnails that are compared."""
BLUR_PX = 2.0
"""Blur of the thumbnails that corrections are fitted to: it takes what was redrawn in a slightly other place."""
REPORT_BLUR_PX = 4.0
"""Blur of the differences that are reported, a twelfth of a cell: drift of colour is wider, what was redrawn is not."""
ITERATIONS = 8
ROBUST_LEVEL = 0.02
"""How far apart two pixels may be, of 1, before they count for less: what was redrawn is no drift of colour."""
REACH = 2.0
PULL = 1e-3
FLAT_LEVEL = 1 / 255


class Drift(NamedTuple):
    """How far the anchor cells of a sheet lie from their copies on other sheets.

    CIELAB differences (CIE 1976) on blurred thumbnails; 1 is about what a trained eye sees, 2.3 what anybody sees.
    """

    mean: float
    maximum: float


@dataclass(frozen=True)
class ColourLock:
    """What `lock_colours` returns.

    Parameters
    ----------
    sheets
        The corrected sheets, (N, H, W, 3), of the type they came in.
    corrections
        (N, 3, 4): what was done to each sheet; the new colour is `correction @ (red, green, blue, 1)`, values 0..1.
    before, after
        The drift of each sheet, before and after.
    warnings
        What the artist should know, in plain sentences.
    """

    sheets: np.ndarray
    corrections: np.ndarray
    before: tuple[Drift, ...]
    after: tuple[Drift, ...]
    warnings: tuple[str, ...] = ()

    def describe(self) -> str:
        """The drift of each sheet, before and after, in plain words."""
        lines = ["colour difference of anchor cells to their copies on other sheets (mean, maximum; 2.3 can be seen)"]
        for number, (before, after) in enumerate(zip(self.before, self.after, strict=True), start=1):
            lines.append(
                f"sheet {number}: mean {before.mean:.1f} -> {after.mean:.1f}, "
                f"maximum {before.maximum:.1f} -> {after.maximum:.1f}"
            )
        return "\n".join([*lines, *(f"warning: {sentence}" for sentence in self.warnings)])


class _Pair(NamedTuple):
    """One keyframe on two sheets: colours (P, 4), the last column 1."""

    sheet: int
    other: int
    colours: np.ndarray
    other_colours: np.ndarray
    thumbnail: Size


@checked
def lock_colours(
    plan: GridPlan,
    sheets: np.ndarray | Sequence[np.ndarray],
    *,
    reference: int = 0,
    strength: float = 1.0,
    pull: float = PULL,
) -> ColourLock:
    """Bring all painted sheets to the colours of one of them.

    Parameters
    ----------
    plan
        The plan that the sheets were tiled by. Every sheet must share an anchor cell with another one, and through
        others with the reference.
    sheets
        Painted sheets, uint8 or float32 0..1, as they came from diffusion. May have been scaled, as for `split`.
        Lock before accepted anchor cells are pasted in: pasted cells no longer show the drift.
    reference
        The sheet, counted from 0, that stays as it is.
    strength
        How much of the correction is applied: 0 changes nothing, 1 all of it.
    pull
        How strongly corrections hold to doing nothing where anchor cells say little, for instance in colours that they
        do not contain. More corrects less.

    Raises
    ------
    ValueError
        If a sheet shares no anchor cell with the others, came back in another size, or an anchor cell is empty.

    Notes
    -----
    Minimises, over all corrections M at once, the sum over anchor pairs of |M_i a - M_j b|, by iteratively reweighted
    least squares (the weights of Geman and McClure), plus `pull` times the squared distance of each M from identity.

    >>> from escalier.keyframes import Fit
    >>> fit = Fit.centred(Size(64, 64), Size(64, 64), Size(64, 64))
    >>> plan = GridPlan(sheets=((0, 8), (0, 16)), length=17, columns=2, rows=1, gutter=0, fit=fit)
    >>> sheet = np.random.default_rng(0).random((64, 128, 3), np.float32) * 0.8
    >>> locked = lock_colours(plan, [sheet, sheet * 0.8])
    >>> bool(locked.before[1].mean > 3), bool(locked.after[1].mean < 0.5)
    (True, True)
    """
    _check_arguments(plan, reference, strength, pull)
    cells = split_cells(plan, sheets)
    if len(sheets) == 1:
        still = (Drift(0.0, 0.0),)
        return ColourLock(np.stack([*sheets]), np.eye(3, 4)[None], still, still, ("One sheet has nothing to lock.",))
    _check_reach(plan, reference)
    pairs = _anchor_pairs(plan, cells)
    corrections = np.eye(3, 4) + strength * (_solve(pairs, len(sheets), reference, pull) - np.eye(3, 4))
    locked = np.stack([_corrected(sheet, matrix) for sheet, matrix in zip(sheets, corrections, strict=True)])
    before = _drifts(pairs, np.broadcast_to(np.eye(3, 4), corrections.shape))
    return ColourLock(locked, corrections, before, _drifts(pairs, corrections), tuple(_warnings(before)))


def _check_arguments(plan: GridPlan, reference: int, strength: float, pull: float) -> None:
    if not 0 <= reference < len(plan.sheets):
        rule = f"lie in 0..{len(plan.sheets) - 1}"
        raise Refusal("reference", rule, reference, f"the plan has {len(plan.sheets)} sheets, counted from 0")
    if not 0 <= strength <= 1:
        raise Refusal("strength", "lie in 0..1", strength, "1 corrects all of the drift")
    if not 0 < pull <= 1:
        raise Refusal("pull", "be above 0 and at most 1", pull, f"{PULL} is a good value")


def _check_reach(plan: GridPlan, reference: int) -> None:
    """Refuse sheets that no chain of shared anchor cells joins to the reference."""
    reached, waiting = {reference}, [reference]
    while waiting:
        frames = set(plan.sheets[waiting.pop()])
        new = {sheet for sheet, others in enumerate(plan.sheets) if frames & set(others)} - reached
        reached |= new
        waiting.extend(new)
    if len(reached) < len(plan.sheets):
        alone = [str(sheet + 1) for sheet in range(len(plan.sheets)) if sheet not in reached]
        raise Refusal(
            "every sheet",
            f"share an anchor cell with another, but sheet {', '.join(alone)} shares none with sheet "
            f"{reference + 1} or those it shares with",
            remedy="plan the grid with anchors 'first' or 'previous'",
        )


def _anchor_pairs(plan: GridPlan, cells: list[list[np.ndarray]]) -> list[_Pair]:
    """Every keyframe that stands on two sheets, for each two of them."""
    pairs = []
    for index in plan.anchors:
        copies = [(sheet, _colours(cells[sheet][cell])) for sheet, cell in plan.copies(index)]
        flat = [sheet for sheet, colours in copies if np.ptp(colours[:, :3], axis=0).max() < FLAT_LEVEL]
        if flat and len(flat) < len(copies):
            rule = f"be painted on every sheet, but on sheet {flat[0] + 1} it is one flat colour"
            raise Refusal(f"the anchor cell of frame {index}", rule, remedy="paint that sheet again")
        size = _thumbnail_size(Size.of(cells[0][0]))
        pairs += [_Pair(i, j, a, b, size) for (i, a), (j, b) in itertools.combinations(copies, 2)]
    return pairs


def _colours(cell: np.ndarray) -> np.ndarray:
    """The colours of a cell's blurred thumbnail, (P, 4) float64 0..1, the last column 1."""
    thumbnail = cv2.resize(cell, _thumbnail_size(Size.of(cell)), interpolation=cv2.INTER_AREA).astype(np.float64)
    thumbnail = cv2.GaussianBlur(thumbnail, (0, 0), BLUR_PX) / (255 if cell.dtype == np.uint8 else 1)
    return np.concatenate([thumbnail.reshape(-1, 3), np.ones((thumbnail.size // 3, 1))], axis=1)


def _thumbnail_size(cell: Size) -> Size:
    return Size(*(max(1, round(side * THUMBNAIL_PX / max(cell))) for side in cell))


def _solve(pairs: list[_Pair], sheets: int, reference: int, pull: float) -> np.ndarray:
    """The corrections (N, 3, 4) of all sheets at once; the reference's is identity."""
    identity = np.eye(4, 3)
    matrices = np.broadcast_to(identity, (sheets, 4, 3)).copy()
    free = [sheet for sheet in range(sheets) if sheet != reference]
    block = {sheet: slice(4 * k, 4 * k + 4) for k, sheet in enumerate(free)}
    pixels = sum(len(pair.colours) for pair in pairs) / sheets
    for _ in range(ITERATIONS):
        left = np.kron(np.eye(len(free)), pull * pixels * np.eye(4))
        right = np.tile(pull * pixels * identity, (len(free), 1))
        for i, j, a, b, _ in pairs:
            apart = np.linalg.norm(a @ matrices[i] - b @ matrices[j], axis=1)
            # From the first step on, what lies far beyond the pair's typical difference was redrawn, not drifted.
            reach = max(ROBUST_LEVEL, REACH * float(np.median(apart)))
            weights = 1 / (1 + (apart / reach) ** 2) ** 2
            weights /= weights.mean()
            for here, there, own, other in ((i, j, a, b), (j, i, b, a)):
                if here == reference:
                    continue
                weighted = own.T * weights
                left[block[here], block[here]] += weighted @ own
                if there == reference:
                    right[block[here]] += weighted @ (other @ identity)
                else:
                    left[block[here], block[there]] -= weighted @ other
        matrices[free] = np.linalg.solve(left, right).reshape(-1, 4, 3)
    return matrices.transpose(0, 2, 1)


def _corrected(sheet: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    if np.array_equal(matrix, np.eye(3, 4)):
        return sheet.copy()
    if sheet.dtype == np.uint8:
        scaled = matrix.copy()
        scaled[:, 3] *= 255
        return np.clip(np.rint(cv2.transform(sheet.astype(np.float32), scaled)), 0, 255).astype(np.uint8)
    return np.clip(cv2.transform(sheet, matrix), 0, 1)


def _drifts(pairs: list[_Pair], corrections: np.ndarray) -> tuple[Drift, ...]:
    apart: list[list[np.ndarray]] = [[] for _ in corrections]
    for i, j, a, b, (width, height) in pairs:
        difference = _lab(a @ corrections[i].T) - _lab(b @ corrections[j].T)
        blurred = cv2.GaussianBlur(difference.reshape(height, width, 3), (0, 0), REPORT_BLUR_PX)
        difference = np.linalg.norm(blurred, axis=2).ravel()
        apart[i].append(difference)
        apart[j].append(difference)
    together = [np.concatenate(differences) for differences in apart]
    return tuple(Drift(float(one.mean()), float(one.max())) for one in together)


def _lab(colours: np.ndarray) -> np.ndarray:
    rgb = np.clip(colours, 0, 1).astype(np.float32)
    return cv2.cvtColor(rgb[None], cv2.COLOR_RGB2Lab)[0]


def _warnings(before: Sequence[Drift]) -> list[str]:
    if any(drift.maximum == 0 for drift in before):
        return [
            "Anchor cells are the same to the bit: they were pasted, and show no drift. Lock the colours before you "
            "paste accepted cells."
        ]
    return []
