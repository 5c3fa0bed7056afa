"""Mattes of a whole clip from a background-removal network, by way of rembg.

rembg stretches every picture's mask from its own darkest to its own brightest pixel: where nobody is in the picture,
faint noise becomes a white mask, and the mask of a clip flickers. It also brightens every picture to its own maximum.
Here the network's raw output is taken, and one stretch, measured on the whole clip, is applied to all frames.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np

from escalier.film.frames import FrameSource, Size
from escalier.model_files import damage
from escalier.packages import load_package

REQUIREMENT = "rembg>=2.0.57"
RUNTIME_REQUIREMENT = "onnxruntime>=1.17"
PURPOSE = "Mattes by rembg"
SUBJECT = 0.5
"""A clip in which the network is nowhere surer than this shows no subject, and is not stretched."""

KINDS = MappingProxyType(
    {
        "u2net": "u2net",
        "isnet": "isnet-general-use",
        "isnet-anime": "isnet-anime",
        "birefnet": "birefnet-general",
        "bria": "bria-rmbg",
        "ben": "ben_custom",
    }
)
"""Families of networks, and the session of rembg that prepares pictures as each was trained. Sessions that send
pictures to a paid service are not among them."""
NAMES = (
    ("isnet-anime", "isnet-anime"), ("isnet", "isnet"), ("dis_", "isnet"), ("birefnet", "birefnet"),
    ("bria", "bria"), ("rmbg-2", "bria"), ("u2net", "u2net"), ("silueta", "u2net"), ("ben", "ben"),
)  # fmt: skip
"""How the files that rembg publishes are named, and the family."""


@dataclass(frozen=True, eq=False)
class Mattes:
    """The mattes of a clip.

    `masks` (N, H, W) float32 0..1; `lowest` and `highest` are the raw outputs that became 0 and 1. `found` is False
    where the network saw a subject in no frame; the masks are then its raw output.
    """

    masks: np.ndarray
    lowest: float
    highest: float
    found: bool

    def __str__(self) -> str:
        if not self.found:
            return f"no subject found in {len(self.masks)} frames: the network is nowhere surer than {self.highest:.2f}"
        return f"{len(self.masks)} mattes; the network's {self.lowest:.3f} became 0, its {self.highest:.3f} became 1"


class MatteModel:
    """A background-removal network, made by `read_matte_model`."""

    def __init__(self, session: Any, mean: np.ndarray, std: np.ndarray, size: Size, *, gives_logits: bool) -> None:
        self._session = session
        self._mean, self._std = mean, std
        self.size = size
        self._gives_logits = gives_logits

    def raw(self, picture: np.ndarray) -> np.ndarray:
        """The network's own output for a picture (H, W, 3), uint8 or float32 0..1: float32 in the network's size.

        Each channel is brought to the network's size by rembg's filter (Lanczos), but in floating point, and without
        rembg's division by the brightest pixel of the picture.
        """
        from PIL import Image

        scale = np.float32(255 if picture.dtype == np.uint8 else 1)
        planes = [Image.fromarray(np.ascontiguousarray(picture[..., c], np.float32) / scale) for c in range(3)]
        small = np.stack([np.asarray(plane.resize(self.size, Image.Resampling.LANCZOS)) for plane in planes])
        prepared = (np.clip(small, 0, 1) - self._mean[:, None, None]) / self._std[:, None, None]
        name = self._session.get_inputs()[0].name
        output = np.asarray(self._session.run(None, {name: prepared[None].astype(np.float32)})[0], np.float32)
        if output.size != output.shape[-2] * output.shape[-1]:
            raise ValueError(
                f"MatteModel: the network must give one matte, got an output of shape {output.shape}; load one that "
                "removes backgrounds, such as u2net.onnx"
            )
        matte = output.reshape(output.shape[-2:])
        if not np.isfinite(matte).all():
            raise ValueError("MatteModel: the network must give finite numbers, got NaN or infinity; load another file")
        return 1 / (1 + np.exp(-matte)) if self._gives_logits else matte


def read_matte_model(path: str | Path, kind: str = "auto") -> MatteModel:
    """Load a background-removal network from a file. Nothing is ever downloaded.

    Parameters
    ----------
    path
        An .onnx file, such as those that rembg publishes.
    kind
        The family: one of `KINDS`, which decides how pictures are prepared. "auto" reads it from the file's name.

    Raises
    ------
    FileNotFoundError
        If there is no such file; the message names the folder.
    ValueError
        If the file is something else, or its family cannot be told from its name.
    ImportError
        If rembg or onnxruntime is missing: the message ends with the pip command.

    >>> read_matte_model("models/rembg/u2net.onnx")
    Traceback (most recent call last):
    FileNotFoundError: read_matte_model: u2net.onnx must lie in models/rembg, got no such file; put it there ...
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"read_matte_model: {path.name} must lie in {path.parent}, got no such file; put it there (rembg's models: "
            "github.com/danielgatis/rembg/releases)"
        )
    kind = _kind_of(path) if kind == "auto" else kind
    if kind not in KINDS:
        raise ValueError(f"read_matte_model: kind must be auto or {' or '.join(KINDS)}, got {kind}; choose one")
    # onnxruntime first: without it, importing rembg ends the process.
    runtime = load_package("onnxruntime", RUNTIME_REQUIREMENT, PURPOSE)
    sessions = load_package("rembg.sessions", REQUIREMENT, PURPOSE).sessions_class
    session_class = next(session for session in sessions if session.name() == KINDS[kind])
    session = _session(session_class, path, runtime)
    return _model(session, gives_logits=hasattr(session_class, "sigmoid"))


def matte_film(
    film: FrameSource, model: MatteModel, *, progress: Callable[..., object] | None = None
) -> Mattes:  # fmt: skip
    """The matte of every frame, stretched once for the whole clip.

    Parameters
    ----------
    film
        The clip. A single frame can only be stretched from itself, as rembg does.
    model
        What `read_matte_model` gave.
    progress
        Called as progress(done, total) after each frame; what it raises ends the work.

    Raises
    ------
    MemoryError
        If the network or the masks do not fit into memory.

    Examples
    --------
    >>> mattes = matte_film(film, read_matte_model("models/rembg/u2net.onnx"))  # doctest: +SKIP
    >>> str(mattes)  # doctest: +SKIP
    '48 mattes; the network's 0.000 became 0, its 0.998 became 1'
    """
    size = film.size
    masks = np.empty((len(film), size.height, size.width), np.float32)
    lowest, highest = np.inf, -np.inf
    for i, mask in enumerate(masks):
        raw = model.raw(film.frame(i))
        lowest, highest = min(lowest, float(raw.min())), max(highest, float(raw.max()))
        mask[:] = cv2.resize(raw, size, interpolation=cv2.INTER_LINEAR)
        if progress is not None:
            progress(i + 1, len(masks))
    found = highest >= SUBJECT and highest > lowest
    if found:
        masks -= np.float32(lowest)
        masks /= np.float32(highest - lowest)
    np.clip(masks, 0, 1, out=masks)
    return Mattes(masks, lowest, highest, found)


class _Recipe(Exception):
    """Carries out of a session of rembg how it would prepare a picture."""

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...], size: tuple[int, int]) -> None:
        self.mean, self.std, self.size = mean, std, size


def _session(session_class: Any, path: Path, runtime: Any) -> Any:
    """A session of rembg on this very file, where rembg would look for a file of its own, or download it."""

    class LocalSession(session_class):
        @classmethod
        def download_models(cls, *_: object, **__: object) -> str:
            return str(path)

        def normalize(self, _: object, mean: Any, std: Any, size: Any, *__: object, **___: object) -> Any:
            raise _Recipe(mean, std, size)

    state = runtime.capi.onnxruntime_pybind11_state
    refusals = (state.InvalidProtobuf, state.InvalidGraph, state.InvalidArgument, state.Fail, state.NotImplemented)
    found = damage(path)
    try:
        if found is None:
            return LocalSession(path.stem, runtime.SessionOptions(), model_path=str(path))
    except refusals as error:
        found = "a file that onnxruntime cannot read"
        raise _refusal(path, found) from error
    raise _refusal(path, found)


def _model(session: Any, *, gives_logits: bool) -> MatteModel:
    from PIL import Image

    try:
        session.predict(Image.new("RGB", (8, 8)))
    except _Recipe as recipe:
        # The file's own size where it has one: smaller exports of the same network exist.
        height, width = session.inner_session.get_inputs()[0].shape[-2:]
        fixed = isinstance(height, int) and isinstance(width, int)
        size = Size(width, height) if fixed else Size(*recipe.size)
        mean, std = np.array(recipe.mean, np.float32), np.array(recipe.std, np.float32)
        return MatteModel(session.inner_session, mean, std, size, gives_logits=gives_logits)
    raise ImportError(
        f"read_matte_model: {PURPOSE} need a session of rembg that prepares pictures by normalize, which this version "
        f'has not; run: python -m pip install "{REQUIREMENT}"'
    )


def _kind_of(path: Path) -> str:
    name = path.stem.lower()
    for part, kind in NAMES:
        if part in name:
            return kind
    raise ValueError(
        f"read_matte_model: the name of {path.name} must tell the network's family ({', '.join(KINDS)}), which it "
        "does not; choose the kind by hand"
    )


def _refusal(path: Path, kind: str) -> ValueError:
    return ValueError(
        f"read_matte_model: {path.name} must be a background-removal network in ONNX, got {kind}; download it again "
        "from github.com/danielgatis/rembg/releases"
    )
