"""Mattes without a click: networks that remove backgrounds, by way of rembg, steady over the whole clip."""

import torch
from comfy_api.v0_0_2 import io

from escalier.mask import MATTE_KINDS, MatteModel, matte_film, read_matte_model

from .. import sockets
from ..allowed_files import model_files
from ..node import Node, output
from ..progress import Progress
from ..video import FilmInput, film_from_input

MODELS = model_files(
    "rembg",
    (".onnx",),
    example="u2net.onnx",
    remedy="take u2net.onnx (176 MB) or isnet-general-use.onnx (179 MB) from github.com/danielgatis/rembg/releases and "
    "put it there",
)


class EscalierLoadMatteModel(Node):
    """Loads a network that removes backgrounds from models/rembg. Nothing is downloaded."""

    display_name = "Load Matte Model"
    search_aliases = ("rembg", "u2net", "isnet", "BiRefNet", "background removal model")
    inputs = (
        MODELS.menu(
            "model",
            "A file in models/rembg. isnet-general-use and birefnet-general see finer edges than u2net; "
            "u2net_human_seg knows people only.",
        ),
        io.Combo.Input(
            "kind",
            options=["auto", *MATTE_KINDS],
            default="auto",
            advanced=True,
            tooltip="The network's family, which decides how pictures are prepared for it. 'auto' reads it from the "
            "network itself, else from the file's name; a kind that contradicts it is refused.",
        ),
    )
    outputs = (output(sockets.MatteModel, "model", "The network, for Matte Film."),)

    @classmethod
    def validate_inputs(cls, model: str) -> bool | str:
        return MODELS.check(model)

    @classmethod
    def fingerprint_inputs(cls, model: str, **_: object) -> tuple:
        return MODELS.fingerprint(model)

    @classmethod
    def execute(cls, model: str, kind: str) -> io.NodeOutput:
        return io.NodeOutput(read_matte_model(MODELS.path(model), kind))


class EscalierMatte(Node):
    """The soft matte of the subject in every frame. White and black are set once for the whole clip, so that the matte
    does not flicker where the subject is small, dark or gone.
    """

    display_name = "Matte Film"
    search_aliases = ("rembg", "remove background", "background removal", "matting", "cutout")
    inputs = (
        sockets.film_input("The clip, or a picture."),
        sockets.MatteModel.Input("model", tooltip="The network from Load Matte Model."),
    )
    outputs = (
        output(io.Mask, "mask", "One soft mask for each frame, white on the subject."),
        output(io.String, "report", "What became black and white, or that no subject was found."),
    )

    @classmethod
    def execute(cls, film: FilmInput, model: MatteModel) -> io.NodeOutput:
        mattes = matte_film(film_from_input(film), model, progress=Progress(previews=False))
        return io.NodeOutput(torch.from_numpy(mattes.masks), str(mattes))
