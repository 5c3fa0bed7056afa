"""The nodes that shape masks and make them from colours or from an empty room, and what they refuse."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from escalier.dials import dials_of
from escalier.mask import Edge, colour_id_mask, difference_matte, shape_edge

torch = pytest.importorskip("torch")


def defaults(node: type) -> dict:
    """Every dial of a node at its default."""
    return {dial.id: dial.default for dial in node.GET_SCHEMA().inputs if hasattr(dial, "default")}


@pytest.fixture
def masks(to_image: Callable):
    """A square that trembles, as MASK."""
    squares = np.zeros((4, 40, 60), np.float32)
    for i in range(4):
        squares[i, 10:30, 15 + i % 2 : 40 + i % 2] = 1
    return torch.from_numpy(squares)


@pytest.fixture
def edge(pack: SimpleNamespace) -> Callable:
    def shape(mask, **dials):
        return pack.EscalierMaskEdge.execute(mask=mask, **{**defaults(pack.EscalierMaskEdge), **dials}).args[0]

    return shape


def test_edge_without_any_dial_gives_the_masks_to_the_bit(edge: Callable, masks) -> None:
    assert torch.equal(edge(masks), masks)


def test_every_dial_of_the_edge_is_the_librarys(edge: Callable, masks) -> None:
    dials = {"choke_px": 2.0, "feather_inside_px": 3.0, "feather_outside_px": 5.0, "profile": "gaussian"}
    dials |= {"fill_holes_area": 9, "drop_islands_area": 9}
    masks[:, 20, 28] = 0
    masks[:, 2, 2] = 1
    for shaped, mask in zip(edge(masks, **dials), masks, strict=True):
        assert (shaped.numpy() == shape_edge(mask.numpy(), Edge(**dials))).all()
        assert shaped[20, 28] == 1 and shaped[2, 2] == 0


def test_outward_feather_keeps_the_subject_covered(edge: Callable, masks) -> None:
    feathered = edge(masks, feather_outside_px=8.0)
    assert (feathered[masks == 1] == 1).all()
    assert ((feathered > 0) & (feathered < 1)).any()


def test_steadying_calms_the_edge(edge: Callable, masks) -> None:
    def tremble(batch) -> float:
        return float((batch[1:] - batch[:-1]).abs().mean())

    assert tremble(edge(masks, steady_frames=1)) < 0.8 * tremble(masks)
    assert torch.equal(edge(masks, steady_frames=1, steady_limit_px=0.0), masks)


def test_single_mask_without_a_batch_is_shaped(edge: Callable, masks) -> None:
    assert torch.equal(edge(masks[0], spread_px=2.0), edge(masks[:1], spread_px=2.0))


def test_menu_of_profiles_is_the_librarys(pack: SimpleNamespace) -> None:
    (profile,) = (dial for dial in pack.EscalierMaskEdge.GET_SCHEMA().inputs if dial.id == "profile")
    assert tuple(profile.options) == dials_of(Edge)["profile"].choices


@pytest.mark.parametrize(
    ("dials", "spoil", "words"),
    [
        ({"spread_px": 3.0, "choke_px": 1.0}, None, "choke_px must be 0 while spread_px is 3, got 1"),
        ({}, np.nan, "mask must hold finite numbers, got NaN or infinity in mask 2"),
        ({}, 7.0, "mask must hold numbers in 0..1, got 0 to 7"),
    ],
    ids=["spread and choke", "NaN", "out of range"],
)
def test_edge_refuses_by_its_own_name(edge: Callable, masks, dials: dict, spoil: float | None, words: str) -> None:
    if spoil is not None:
        masks[2, 5, 5] = spoil
    with pytest.raises(ValueError, match=f"^Shape Mask Edge: {re.escape(words)}"):
        edge(masks, **dials)


@pytest.fixture
def maps() -> np.ndarray:
    """Segmentation maps: a red square and a blue floor on black; the square is lost for one frame."""
    pictures = np.zeros((5, 40, 60, 3), np.uint8)
    pictures[:, 30:] = (0, 0, 250)
    pictures[:, 8:24, 10:30] = (250, 4, 0)
    pictures[2, 8:24, 10:30] = 0
    return pictures


def test_colour_id_finds_the_regions_and_keeps_one_that_is_lost_for_a_frame(
    pack: SimpleNamespace, to_image: Callable, maps: np.ndarray
) -> None:
    node = pack.EscalierColourIdMask
    mask, report = node.execute(film=to_image(maps), **defaults(node)).args
    assert (mask[2].numpy() == colour_id_mask(maps[0], [(255, 0, 0)])).all()
    assert mask[2].sum() > 300
    assert report.splitlines()[0] == "masks cover 13.2 to 13.2 % of the picture"
    assert "#fa0400" in report and "#0000fa" in report


def test_colour_id_takes_several_colours_and_leaves_rivals_out(
    pack: SimpleNamespace, to_image: Callable, maps: np.ndarray
) -> None:
    node = pack.EscalierColourIdMask
    dials = {**defaults(node), "despeckle_px": 0, "steady_frames": 0}
    both, _ = node.execute(film=to_image(maps), **{**dials, "colours": "#ff0000\n0 0 255"}).args
    assert [int(mask.sum()) for mask in both] == [920, 920, 600, 920, 920]
    rival, _ = node.execute(film=to_image(maps), **{**dials, "other_colours": "#fa0400"}).args
    assert rival.sum() == 0


@pytest.mark.parametrize(
    ("colours", "words"),
    [
        ("red", "colours must be #rrggbb or three numbers 0..255, got red"),
        ("", "every colour must have three numbers, got nothing"),
    ],
    ids=["a word", "nothing"],
)
def test_malformed_colours_are_refused_by_the_node(
    pack: SimpleNamespace, to_image: Callable, maps: np.ndarray, colours: str, words: str
) -> None:
    node = pack.EscalierColourIdMask
    with pytest.raises(ValueError, match=f"^Mask from Colour Id: {re.escape(words)}"):
        node.execute(film=to_image(maps), **{**defaults(node), "colours": colours})


def test_difference_matte_finds_what_is_not_in_the_plate(
    pack: SimpleNamespace, to_image: Callable, clip: np.ndarray
) -> None:
    node, shot = pack.EscalierDifferenceMatte, np.stack([clip[0]] * 3)
    for i in range(3):
        shot[i, 10:30, 10 + 8 * i : 30 + 8 * i] = (255, 40, 40)
    (mask,) = node.execute(film=to_image(shot), plate=to_image(clip[:1]), **defaults(node)).args
    for i in range(3):
        assert np.abs(mask[i].numpy() - difference_matte(shot[i], clip[0])).max() < 1e-4
        assert mask[i, 15:25, 15 + 8 * i : 25 + 8 * i].mean() > 0.9
    assert mask[:, 40:].max() == 0


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((1, 24, 64, 3), "plate must be 64x48 like the frame, got 64x24; make the plate from the same clip"),
        ((2, 48, 64, 3), "plate must have 1 or 6 pictures, one for each frame, got 2"),
        ((1, 48, 64, 4), "plate must be RGB, got RGBA (4 channels)"),
    ],
    ids=["size", "number", "RGBA"],
)
def test_plates_that_do_not_fit_are_refused_by_the_node(
    pack: SimpleNamespace, to_image: Callable, clip: np.ndarray, shape: tuple, words: str
) -> None:
    node = pack.EscalierDifferenceMatte
    with pytest.raises(ValueError, match=f"^Difference Matte: {re.escape(words)}"):
        node.execute(film=to_image(clip), plate=to_image(np.zeros(shape, np.float32)), **defaults(node))
