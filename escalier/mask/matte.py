"""Mattes of a whole clip from a background-removal network, by way of rembg.

rembg stretches every picture's mask from its own darkest to its own brightest pixel: where nobody is in the picture,
faint noise becomes a white mask, and the mask of a clip flickers. It also brightens every picture to its own maximum.
Here the network's raw output is taken, and one stretch, measured on the whole clip, is applied to all frames.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.film import Film, Size
from escalier.log import log
from escalier.model_files import damage
from escalier.packages import load_package
from escalier.progress import Progress
from escalier.refusals import MemoryRefusal, MissingFile, PackageRefusal, Refusal

from .matte_graph import MatteGraph, read_matte_graph

REQUIREMENT = "rembg>=2.0.57"
RUNTIME_REQUIREMENT = "onnxruntime>=1.17"
PURPOSE = "Mattes by rembg"
NUMBERS = MappingProxyType({"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(double)": "float64"})
"""The kinds of numbers that a network may take, as onnxruntime and numpy name them."""
SUBJECT = 0.5
"""A clip in which the network is nowhere surer than this shows no subject, and is not stretched."""

MATTE_KINDS = MappingProxyType(
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
PLANS = MappingProxyType(
    {"U2Net": ("u2net",), "IS-Net": ("isnet", "isnet-anime", "bria"), "BiRefNet": ("birefnet", "bria"), "BEN": ("ben",)}
)
"""The families that are built by each plan, the usual one first."""
FIRST_BRIA = "isnet-general-use"
"""RMBG-1.4, Bria's first network, is an IS-Net and takes pictures as that does; rembg's session is for RMBG-2.0."""
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
    """A background-removal network, made by `read_matte_model`.

    `kind` is its family, `size` the one in which it sees pictures.
    """

    def __init__(
        self, session: Any, mean: np.ndarray, std: np.ndarray, size: Size, *, kind: str, gives_logits: bool
    ) -> None:
        self.kind = kind
        self._session = session
        self._input, self._output = session.get_inputs()[0], session.get_outputs()[0].name
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
        output = self._run(prepared[None].astype(NUMBERS[self._input.type]))
        if output.size != output.shape[-2] * output.shape[-1]:
            rule, remedy = "give one matte", "load one that removes backgrounds, such as u2net.onnx"
            raise Refusal("the network", rule, f"an output of shape {output.shape}", remedy, who="MatteModel")
        matte = output.reshape(output.shape[-2:])
        if not np.isfinite(matte).all():
            raise Refusal(
                "the network", "give finite numbers", "NaN or infinity", "load another file", who="MatteModel"
            )
        return 1 / (1 + np.exp(-matte)) if self._gives_logits else matte

    def _run(self, batch: np.ndarray) -> np.ndarray:
        """The first output alone: IS-Net has eleven more, which would be copied for nothing."""
        try:
            return np.asarray(self._session.run([self._output], {self._input.name: batch})[0], np.float32)
        except _errors_of_runtime() as error:
            said = _said(error)
            if "alloc" in said.lower():
                rule = f"hold the network and a picture of {self.size}, but it is full"
                remedy = "close other programs, or take a smaller network"
                raise MemoryRefusal("the memory", rule, remedy=remedy, who="MatteModel") from error
            rule = f"run on a picture of {self.size}, but onnxruntime says: {said}"
            raise Refusal("the network", rule, remedy="load another file", who="MatteModel") from error


@checked
def read_matte_model(path: str | Path, kind: str = "auto") -> MatteModel:
    """Load a background-removal network from a file. Nothing is ever downloaded.

    Parameters
    ----------
    path
        An .onnx file, such as those that rembg publishes.
    kind
        The family: one of `MATTE_KINDS`, which decides how pictures are prepared. "auto" reads it from the network's
        plan and, where several families share one or the plan is unknown, from the file's name. "bria" is RMBG-1.4 or
        RMBG-2.0; which of the two, the plan says.

    Raises
    ------
    FileNotFoundError
        If there is no such file; the message names the folder.
    ValueError
        If the file is something else, takes or gives something else than one picture and one matte, its family
        cannot be told, or its plan contradicts the kind.
    ImportError
        If rembg or onnxruntime is missing: the message ends with the pip command.

    >>> read_matte_model("models/rembg/u2net.onnx")
    Traceback (most recent call last):
    escalier.refusals.MissingFile: read_matte_model: u2net.onnx must lie in models/rembg, got no such file; ...
    """
    path = Path(path)
    if not path.is_file():
        remedy = "put it there (rembg's models: github.com/danielgatis/rembg/releases)"
        raise MissingFile(path.name, f"lie in {path.parent}", "no such file", remedy)
    if kind != "auto" and kind not in MATTE_KINDS:
        raise Refusal("kind", f"be auto or {' or '.join(MATTE_KINDS)}", kind, "choose one")
    graph = read_matte_graph(path) if damage(path) is None else None
    kind = _kind_of(path, kind, graph)
    # onnxruntime first: without it, importing rembg ends the process.
    runtime = load_package("onnxruntime", RUNTIME_REQUIREMENT, PURPOSE)
    sessions = load_package("rembg.sessions", REQUIREMENT, PURPOSE).sessions_class
    is_first_bria = kind == "bria" and graph is not None and graph.architecture == "IS-Net"
    name = FIRST_BRIA if is_first_bria else MATTE_KINDS[kind]
    session = _session(next(session for session in sessions if session.name() == name), path, runtime)
    _check_ends(path, session.inner_session)
    return _model(session, kind, None if graph is None else graph.gives_logits)


@checked
def matte_film(
    film: Film, model: MatteModel, *, progress: Progress | None = None
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

    found = damage(path)
    try:
        if found is None:
            return LocalSession(path.stem, runtime.SessionOptions(), model_path=str(path))
    except _errors_of_runtime() as error:
        raise _refusal(path, f"a file that onnxruntime cannot read ({_said(error)})") from error
    raise _refusal(path, found)


def _model(session: Any, kind: str, gives_logits: bool | None) -> MatteModel:
    from PIL import Image

    if gives_logits is None:
        gives_logits = hasattr(session, "sigmoid")

    try:
        session.predict(Image.new("RGB", (8, 8)))
    except _Recipe as recipe:
        # The file's own size where it has one: smaller exports of the same network exist.
        height, width = session.inner_session.get_inputs()[0].shape[-2:]
        fixed = isinstance(height, int) and isinstance(width, int)
        size = Size(width, height) if fixed else Size(*recipe.size)
        mean, std = np.array(recipe.mean, np.float32), np.array(recipe.std, np.float32)
        return MatteModel(session.inner_session, mean, std, size, kind=kind, gives_logits=gives_logits)
    raise PackageRefusal(
        f"{PURPOSE} need a session of rembg that prepares pictures by normalize, which this version has not",
        remedy=f'run: python -m pip install "{REQUIREMENT}"',
    )


def _kind_of(path: Path, wanted: str, graph: MatteGraph | None) -> str:
    """The family that was asked for, if the plan allows it; else the one that plan and name tell."""
    plan = graph.architecture if graph is not None else ""
    allowed = PLANS.get(plan, tuple(MATTE_KINDS))
    if wanted != "auto":
        if wanted not in allowed:
            rule = f"fit {path.name}, whose graph is that of {plan}"
            raise Refusal("kind", rule, wanted, f"take auto or {' or '.join(allowed)}")
        if not plan:
            log.warning("%s: its graph is of no family that is known here; prepared as %s", path.name, wanted)
        return wanted
    name = path.stem.lower()
    named = next((kind for part, kind in NAMES if part in name), None)
    if named in allowed:
        return named
    if plan:
        return allowed[0]
    raise Refusal(
        f"the graph or the name of {path.name}",
        f"tell the network's family ({', '.join(MATTE_KINDS)}), which they do not",
        remedy="choose the kind by hand",
    )


def _check_ends(path: Path, session: Any) -> None:
    """Refuse a network that takes something else than one RGB picture, or gives something else than one matte."""
    inputs, output = session.get_inputs(), session.get_outputs()[0]
    if len(inputs) != 1:
        raise _refusal(path, f"a network with {len(inputs)} inputs ({', '.join(one.name for one in inputs)})")
    shape = inputs[0].shape
    if inputs[0].type not in NUMBERS:
        raise _refusal(path, f"a network that takes {inputs[0].type} where fractions should be")
    if len(shape) != 4 or not _may_be(shape[0], 1) or not _may_be(shape[1], 3):
        order = " (height, width, channels: export it with channels first)" if shape[-1:] == [3] else ""
        raise _refusal(path, f"a network that takes {_written(shape)}{order} where 1 x 3 x height x width should be")
    given = output.shape or []
    if len(given) == 4 and not _may_be(given[1], 1):
        raise _refusal(path, f"a network that gives {given[1]} channels where one matte should be")
    if len(given) == 1 or len(given) > 4 or (len(given) in (3, 4) and not _may_be(given[0], 1)):
        raise _refusal(path, f"a network that gives {_written(given)} where one matte should be")


def _may_be(length: object, wanted: int) -> bool:
    """Whether a side of a network's input or output is of this length, or of any."""
    return not isinstance(length, int) or length == wanted


def _written(shape: Sequence[object]) -> str:
    return " x ".join(str(side) if isinstance(side, int) else "any" for side in shape) or "a single number"


def _said(error: Exception) -> str:
    """What onnxruntime says, in one line, without the numbers in front of it."""
    return re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", " ".join(str(error).split()))[:240]


def _errors_of_runtime() -> tuple[type[Exception], ...]:
    """What onnxruntime raises; its errors have no family of their own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    kinds = (kind for kind in vars(state).values() if isinstance(kind, type) and issubclass(kind, Exception))
    return (*kinds, RuntimeError)


def _refusal(path: Path, kind: str) -> Refusal:
    rule, remedy = (
        "be a background-removal network in ONNX",
        "download it again from github.com/danielgatis/rembg/releases",
    )
    return Refusal(path.name, rule, kind, remedy)
