"""The door to the original program, tried with a small C library that has its interface and notes what it is given."""

from __future__ import annotations

import ctypes.util
import logging
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dial_arguments import with_matching

from escalier.pyebsynth import Matching, synthesise
from escalier.pyebsynth.original import OriginalNotFound

COMPILER = next((path for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), None)
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler (cc, gcc or clang) to build a library with")

# Writes every argument into the file NOTES; matches every pixel to its place mirrored left to right.
_LIBRARY = r"""
#include <stdio.h>
#include <stdlib.h>

static void bytes(FILE* f, const char* name, const unsigned char* data, int count) {
  fprintf(f, "%s", name);
  for (int i = 0; data && i < count; i++) fprintf(f, " %d", data[i]);
  fprintf(f, "\n");
}
static void ints(FILE* f, const char* name, const int* data, int count) {
  fprintf(f, "%s", name);
  for (int i = 0; i < count; i++) fprintf(f, " %d", data[i]);
  fprintf(f, "\n");
}
static void floats(FILE* f, const char* name, const float* data, int count) {
  fprintf(f, "%s", name);
  for (int i = 0; i < count; i++) fprintf(f, " %.9g", data[i]);
  fprintf(f, "\n");
}

int ebsynthBackendAvailable(int backend) { return backend == 0x0001 || (backend == 0x0002 && CARD); }

void ebsynthRun(int backend, int numStyle, int numGuide, int sw, int sh, void* style, void* sourceGuide,
                int tw, int th, void* targetGuide, void* modulation, float* styleWeights, float* guideWeights,
                float uniformity, int patchSize, int voteMode, int levels, int* searchVote, int* patchMatch,
                int* stop, int extra, void* outputNnf, void* outputImage) {
  FILE* f = fopen(getenv("NOTES"), "w");
  int numbers[] = {backend, numStyle, numGuide, sw, sh, tw, th, patchSize, voteMode, levels, extra};
  ints(f, "numbers", numbers, 11);
  bytes(f, "style", style, sw * sh * numStyle);
  bytes(f, "source", sourceGuide, sw * sh * numGuide);
  bytes(f, "target", targetGuide, tw * th * numGuide);
  bytes(f, "modulation", modulation, tw * th * numGuide);
  floats(f, "style_weights", styleWeights, numStyle);
  floats(f, "guide_weights", guideWeights, numGuide);
  floats(f, "uniformity", &uniformity, 1);
  ints(f, "search_vote", searchVote, levels);
  ints(f, "patch_match", patchMatch, levels);
  ints(f, "stop", stop, levels);
  fclose(f);
  for (int y = 0; y < th; y++) for (int x = 0; x < tw; x++) {
    int sx = sw - 3 - x, sy = y + 2;
    ((int*)outputNnf)[2 * (y * tw + x)] = sx;
    ((int*)outputNnf)[2 * (y * tw + x) + 1] = sy;
    for (int c = 0; c < numStyle; c++)
      ((unsigned char*)outputImage)[(y * tw + x) * numStyle + c] =
        ((unsigned char*)style)[(sy * sw + sx) * numStyle + c];
  }
}
"""

RANDOM = np.random.default_rng(0)
STYLE = RANDOM.integers(0, 256, (24, 32, 3), np.uint8)
SOURCES = [RANDOM.integers(0, 256, (24, 32, channels), np.uint8) for channels in (2, 1)]
TARGETS = [RANDOM.integers(0, 256, (20, 28, channels), np.uint8) for channels in (2, 1)]
MIRRORED = np.stack(np.meshgrid(np.arange(2, 22), np.arange(29, 1, -1), indexing="ij"), axis=-1)


def build(folder: Path, source: str, *options: str) -> Path:
    code = folder / "library.c"
    code.write_text(source, encoding="utf-8")
    built = folder / ("library.dylib" if sys.platform == "darwin" else "library.so")
    subprocess.run([str(COMPILER), "-shared", "-fPIC", *options, "-o", str(built), str(code)], check=True, timeout=120)
    return built


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The library as built without and with a graphics card's engine."""
    return {
        name: build(tmp_path_factory.mktemp(name), _LIBRARY, f"-DCARD={card}")
        for name, card in (("processor", 0), ("card", 1))
    }


class Original:
    """An installed library, and what it noted down of its last call."""

    def __init__(self, library: Path, notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.notes = notes
        monkeypatch.setenv("EBSYNTH_LIBRARY", str(library))
        monkeypatch.setenv("NOTES", str(notes))

    def run(self, style: np.ndarray = STYLE, **changed: Any) -> Any:
        return synthesise(style, SOURCES, TARGETS, **with_matching(backend="original", **changed))

    def noted(self) -> dict[str, list[float]]:
        lines = (line.split() for line in self.notes.read_text(encoding="utf-8").splitlines())
        return {name: [float(value) for value in values] for name, *values in lines}


@pytest.fixture
def processor(libraries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Original:
    return Original(libraries["processor"], tmp_path / "notes", monkeypatch)


@pytest.fixture
def card(libraries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Original:
    return Original(libraries["card"], tmp_path / "notes", monkeypatch)


@needs_compiler
def test_every_argument_arrives(card: Original) -> None:
    half = np.full((20, 28), 0.5, np.float32)
    card.run(
        weights=[3.0, 0.25], style_weight=1.5, modulation=[half, None], uniformity=1234.5, patch_size=3,
        pyramid_levels=2, search_vote_iterations=7, patchmatch_iterations=9, stop_threshold=11, voting="weighted",
        extra_pass_3x3=True,
    )  # fmt: skip
    noted = card.noted()
    # backend auto, style and guide channels, source and target as width, height, patch, weighted, levels, extra pass
    assert noted["numbers"] == [0, 3, 3, 32, 24, 28, 20, 3, 2, 2, 1]
    assert np.array_equal(noted["style"], STYLE.ravel())
    assert np.array_equal(noted["source"], np.dstack(SOURCES).ravel())
    assert np.array_equal(noted["target"], np.dstack(TARGETS).ravel())
    modulation = np.reshape(noted["modulation"], (20, 28, 3))
    assert np.isin(modulation[..., :2], (127, 128)).all() and (modulation[..., 2] == 255).all()
    assert noted["style_weights"] == [0.5] * 3
    assert noted["guide_weights"] == [1.5, 1.5, 0.25]
    assert noted["uniformity"] == [1234.5]
    assert (noted["search_vote"], noted["patch_match"], noted["stop"]) == ([7, 7], [9, 9], [11, 11])


@needs_compiler
def test_left_out_arguments_are_the_originals_own(processor: Original) -> None:
    processor.run()
    noted = processor.noted()
    assert noted["numbers"][7:] == [5, 1, 1, 0] and noted["uniformity"] == [3500]
    assert noted["guide_weights"] == [0.25, 0.25, 0.5] and noted["modulation"] == []
    assert (noted["search_vote"], noted["patch_match"], noted["stop"]) == ([6], [4], [5])


@needs_compiler
def test_picture_field_and_errors_come_back(processor: Original, energy_at) -> None:
    result = processor.run(weights=[3.0, 0.25])
    assert np.array_equal(result.nnf, MIRRORED) and result.nnf.dtype == np.int32
    assert result.nnf.flags.c_contiguous
    assert np.array_equal(result.image, STYLE[MIRRORED[..., 0], MIRRORED[..., 1]])
    for pixel in [(0, 0), (19, 27), (0, 27), (10, 14)]:
        expected = energy_at(pixel, STYLE, result.image, result.nnf, SOURCES, TARGETS, [3.0, 0.25])
        assert (result.error[pixel], result.guide_error[pixel]) == pytest.approx(expected, rel=1e-5)


@needs_compiler
def test_a_float_style_is_rounded_to_eight_bits_and_comes_back_as_float(processor: Original) -> None:
    result = processor.run(STYLE.astype(np.float32) / 255)
    assert np.array_equal(processor.noted()["style"], STYLE.ravel())
    assert result.image.dtype == np.float32
    assert np.allclose(result.image * 255, STYLE[MIRRORED[..., 0], MIRRORED[..., 1]], atol=1e-3)


@needs_compiler
def test_progress_tells_begin_and_end_and_can_stop_before_the_work(processor: Original) -> None:
    seen: list[tuple[int, int]] = []
    processor.run(progress=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 1), (1, 1)]
    processor.notes.unlink()

    def cancel(done: int, total: int) -> None:
        raise KeyboardInterrupt("stop")

    with pytest.raises(KeyboardInterrupt, match="stop"):
        processor.run(progress=cancel)
    assert not processor.notes.exists()


@needs_compiler
@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"source_mask": np.ones((24, 32), bool) & (np.arange(32) > 3)}, "source_mask must be left out"),
        ({"target_mask": np.ones((20, 28), bool) & (np.arange(28) > 3)}, "target_mask must be left out"),
        ({"initial_nnf": np.full((20, 28, 2), 9)}, "initial_nnf must be left out"),
        ({"search_radius": 8}, "search_radius must be left out"),
        ({"modulation": [None, np.ones((20, 28), np.float32)]}, "modulation must be left out .* processor"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_the_original_cannot_do_is_refused(processor: Original, changed: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=f"^synthesise: {match}.*; use backend='cpu'"):
        processor.run(**changed)
    assert not processor.notes.exists()


@needs_compiler
def test_more_guide_channels_than_the_original_holds_are_refused(processor: Original) -> None:
    guides = [[np.zeros((*size, 5), np.uint8)] * 5 for size in ((24, 32), (20, 28))]
    with pytest.raises(ValueError, match=r"at most 24 channels .*'original', got 25; use backend='cpu'"):
        synthesise(STYLE, *guides, matching=Matching(backend="original"))
    assert not processor.notes.exists()


@needs_compiler
@pytest.mark.parametrize("changed", [{"voting": "weighted"}, {"stop_threshold": 2.0}], ids=["voting", "threshold"])
def test_what_the_processor_build_ignores_is_logged(processor: Original, changed: dict[str, Any], caplog) -> None:
    with caplog.at_level(logging.WARNING, "escalier"):
        processor.run()
        assert not caplog.records
        processor.run(**changed)
    assert "ignores weighted voting and stop_threshold" in caplog.text


@needs_compiler
def test_auto_does_not_take_the_original(processor: Original) -> None:
    synthesise(STYLE, SOURCES, TARGETS, matching=Matching(backend="auto", search_vote_iterations=1))
    assert not processor.notes.exists()


def test_a_library_that_is_not_installed_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EBSYNTH_LIBRARY", raising=False)
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)
    with pytest.raises(OriginalNotFound, match=r"none was found; build it .* set EBSYNTH_LIBRARY .*backend='cpu'"):
        synthesise(STYLE, SOURCES, TARGETS, matching=Matching(backend="original"))


def test_a_wrong_path_is_named_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EBSYNTH_LIBRARY", str(tmp_path / "nowhere.so"))
    with pytest.raises(OriginalNotFound, match=r"EBSYNTH_LIBRARY must be the path .*nowhere\.so.*; correct"):
        synthesise(STYLE, SOURCES, TARGETS, matching=Matching(backend="original"))


def test_a_file_that_is_no_library_is_named_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = tmp_path / "libebsynth.so"
    text.write_text("not a library", encoding="utf-8")
    monkeypatch.setenv("EBSYNTH_LIBRARY", str(text))
    with pytest.raises(OriginalNotFound, match=r"libebsynth\.so must be an ebsynth library, .*; build it again"):
        synthesise(STYLE, SOURCES, TARGETS, matching=Matching(backend="original"))


@needs_compiler
def test_a_library_of_something_else_is_named_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = build(tmp_path, "int answer(void) { return 42; }")
    monkeypatch.setenv("EBSYNTH_LIBRARY", str(other))
    with pytest.raises(OriginalNotFound, match=r"must be an ebsynth library, .*ebsynthRun.*; build it again"):
        synthesise(STYLE, SOURCES, TARGETS, matching=Matching(backend="original"))
