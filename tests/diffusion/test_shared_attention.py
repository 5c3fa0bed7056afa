"""The arithmetic of shared attention: what an anchor adds, and when it adds nothing."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from escalier.diffusion import AttentionBank, attend_to_anchor, of_anchor  # noqa: E402

attend = torch.nn.functional.scaled_dot_product_attention
OUTPUT = ("output", 0, 0)


@pytest.fixture
def tokens() -> torch.Tensor:
    """Two conditions of three pictures with five places each."""
    return torch.randn(6, 5, 8, generator=torch.Generator().manual_seed(0))


def share(tokens: torch.Tensor, strength: float, anchor: int = 0) -> torch.Tensor:
    anchors = of_anchor(tokens, 2, anchor)
    return attend_to_anchor(tokens, tokens, tokens, anchors, anchors, attend=attend, strength=strength)


def test_each_condition_has_its_own_anchor(tokens: torch.Tensor) -> None:
    anchors = of_anchor(tokens, chunks=2, anchor=1)
    assert torch.equal(anchors[:3], tokens[1].expand(3, -1, -1))
    assert torch.equal(anchors[3:], tokens[4].expand(3, -1, -1))


def test_anchor_is_attended_to_as_if_its_places_stood_in_the_picture(tokens: torch.Tensor) -> None:
    both = torch.cat([tokens[2], tokens[0]])[None]
    expected = attend(tokens[2:3], both, both)
    torch.testing.assert_close(share(tokens, 1.0)[2:3], expected)


def test_anchor_itself_stays(tokens: torch.Tensor) -> None:
    torch.testing.assert_close(share(tokens, 0.6)[[0, 3]], attend(tokens, tokens, tokens)[[0, 3]])


def test_strength_leads_in_a_straight_line_from_nothing_to_everything(tokens: torch.Tensor) -> None:
    own, shared = share(tokens, 0.0), share(tokens, 1.0)
    assert torch.equal(own, attend(tokens, tokens, tokens))
    torch.testing.assert_close(share(tokens, 0.25), 0.75 * own + 0.25 * shared)


def test_anchor_may_have_more_places_than_the_picture(tokens: torch.Tensor) -> None:
    larger = torch.ones(6, 40, 8)
    assert attend_to_anchor(tokens, tokens, tokens, larger, larger, attend=attend).shape == tokens.shape


@pytest.mark.parametrize("strength", [-0.1, 1.5, float("nan")])
def test_strength_outside_its_range_is_refused(tokens: torch.Tensor, strength: float) -> None:
    with pytest.raises(ValueError, match=r"attend_to_anchor: strength must (lie in 0\.\.1|be a finite number), got"):
        share(tokens, strength)


@pytest.mark.parametrize("anchor", [-1, 3])
def test_anchor_outside_the_batch_is_refused(tokens: torch.Tensor, anchor: int) -> None:
    with pytest.raises(ValueError, match=rf"anchor must lie in 0\.\.2, got {anchor}; the batch has 3 pictures"):
        share(tokens, 1.0, anchor)


def test_bank_gives_back_what_was_kept_even_if_the_original_changes(tokens: torch.Tensor) -> None:
    bank, original = AttentionBank(), tokens[0].clone()
    bank.keep(OUTPUT, 2.0, "positive", original, original)
    original.zero_()
    assert all(torch.equal(part, tokens[0]) for part in bank.recall(OUTPUT, 2.0, "positive"))


def test_bank_forgets_a_run_when_the_next_one_begins(tokens: torch.Tensor) -> None:
    bank = AttentionBank()
    for sigma in (9.0, 3.0, 9.0):
        bank.keep(OUTPUT, sigma, "positive", tokens[0], tokens[0])
    assert bank.nbytes == 2 * tokens[0].nbytes
    with pytest.raises(ValueError, match="noise level 3 of block"):
        bank.recall(OUTPUT, 3.0, "positive")


def test_noise_levels_are_found_again_within_their_rounding(tokens: torch.Tensor) -> None:
    bank = AttentionBank()
    bank.keep(OUTPUT, 1.234561, "positive", tokens[0], tokens[0])
    assert bank.recall(OUTPUT, 1.234559, "positive")


def test_empty_bank_says_what_to_connect() -> None:
    with pytest.raises(ValueError, match="bank must hold a recorded run, but it is empty; connect the latent"):
        AttentionBank().recall(OUTPUT, 1.0, "positive")
