"""A small clip with three painted keyframes, and the film that one call makes of them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from escalier import stylise
from escalier.film import Size, make_clip, write_film
from escalier.keyframes import Keyframes, paint_picture, write_keyframes

LENGTH, PAINTED = 9, (0, 4, 8)


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    place = tmp_path_factory.mktemp("inputs")
    made = make_clip(Size(96, 64), length=LENGTH, rate=6)
    clip = write_film(place / "clip.mp4", made)
    pictures = [paint_picture(made.frame(index), "poster") for index in PAINTED]
    write_keyframes(place / "painted", Keyframes(list(PAINTED), pictures, LENGTH))
    direct = place / "direct.mp4"
    stylise(clip, place / "painted", direct, cuts=(), threads=1)
    return SimpleNamespace(clip=clip, painted=place / "painted", film=direct.read_bytes())
