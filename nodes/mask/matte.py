"""Mattes without a click: networks that remove backgrounds, by way of rembg, steady over the whole clip."""

import torch
from comfy_api.v0_0_2 import io

from .. import sockets
from ..allowed_files import model_files
from ..errors import named_after_node
from ..progress import Progress
from ..video import film_from_input

MODELS = model_files(
    "rembg",
    (".onnx",),
    example="u2net.onnx",
    remedy="take u2net.onnx (176 MB) or isnet-general-use.onnx (179 MB) from github.com/danielgatis/rembg/releases and "
    "put it there",
)


class EscalierLoadMatteModel(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        choices = MODELS.choices()
        return io.Schema(
            node_id="EscalierLoadMatteModel",
            display_name="Load Matte Model",
            category="escalier/mask",
            description="Loads a network that removes backgrounds from models/rembg. Nothing is downloaded.",
            search_aliases=["rembg", "u2net", "isnet", "BiRefNet", "background removal model"],
            inputs=[
                io.Combo.Input(
                    "model",
                    options=choices,
                    default=choices[0],
                    tooltip="A file in models/rembg. isnet-general-use and birefnet-general see finer edges than "
                    "u2net; u2net_human_seg knows people only.",
                ),
                io.Combo.Input(
                    "kind",
                    options=["auto", "u2net", "isnet", "isnet-anime", "birefnet", "bria", "ben"],
                    default="auto",
                    advanced=True,
                    tooltip="The network's family, which decides how pictures are prepared for it. 'auto' reads it "
                    "from the network itself, else from the file's name; a kind that contradicts it is refused.",
                ),
            ],
            outputs=[sockets.MatteModel.Output(display_name="model", tooltip="The network, for Matte Film.")],
        )

    @classmethod
    def validate_inputs(cls, model) -> bool | str:
        return MODELS.check(model)

    @classmethod
    def fingerprint_inputs(cls, model, **_) -> tuple:
        return MODELS.fingerprint(model)

    @classmethod
    @named_after_node
    def execute(cls, model, kind) -> io.NodeOutput:
        from escalier.mask import read_matte_model

        return io.NodeOutput(read_matte_model(MODELS.path(model), kind))


class EscalierMatte(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierMatte",
            display_name="Matte Film",
            category="escalier/mask",
            description="The soft matte of the subject in every frame. White and black are set once for the whole "
            "clip, so that the matte does not flicker where the subject is small, dark or gone.",
            search_aliases=["rembg", "remove background", "background removal", "matting", "cutout"],
            inputs=[
                sockets.film_input("The clip, or a picture."),
                sockets.MatteModel.Input("model", tooltip="The network from Load Matte Model."),
            ],
            outputs=[
                io.Mask.Output(display_name="mask", tooltip="One soft mask for each frame, white on the subject."),
                io.String.Output(
                    display_name="report", tooltip="What became black and white, or that no subject was found."
                ),
            ],
        )

    @classmethod
    @named_after_node
    def execute(cls, film, model) -> io.NodeOutput:
        from escalier.mask import matte_film

        mattes = matte_film(film_from_input(film), model, progress=Progress(previews=False))
        return io.NodeOutput(torch.from_numpy(mattes.masks), str(mattes))
