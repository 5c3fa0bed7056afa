"""Menu escalier/diffusion: control maps of keyframes, for ControlNets."""

import comfy.model_management
import folder_paths
import torch
from comfy_api.v0_0_2 import io

from escalier.diffusion import KINDS, Options, draw_control_maps, draw_segmentation_maps

from ..allowed_files import add_model_folder, model_folders
from ..dial_inputs import DialValue, dial_inputs, dials_from
from ..node import Node, output, span
from ..progress import Progress
from ..tensors import pictures_from_images

DETECTOR_FOLDER = "controlnet_aux"
add_model_folder(DETECTOR_FOLDER)
SEGMENTATION = model_folders(
    "segmentation",
    "config.json",
    example=None,
    remedy="download all files of for instance nvidia/segformer-b4-finetuned-ade-512-512 (257 MB, from huggingface.co) "
    "into a folder there and press R",
)

DETECTOR_BYTES = 4 * 1024**3
"""The largest detector, ZoeDepth, with room to compute."""


def resolution_input() -> io.Input:
    return io.Int.Input(
        "resolution",
        **span(512, 0, 4096, step=64),
        tooltip="The short side, in pixels, at which the detector looks; the map comes back in the picture's own size. "
        "Most were taught at 512. More finds finer lines, misses large forms and costs with the square. 0 looks at the "
        "picture's own size.",
    )


class EscalierControlMap(Node):
    """Draws what a ControlNet is to respect in each keyframe: its lines, its people, its depth. Put it between Choose
    Keyframes and Tile Keyframe Grid. Maps have exactly the picture's size; depth has one range over all pictures, so
    that the same wall is the same grey in every keyframe.
    """

    display_name = "Control Map"
    search_aliases = (
        "controlnet preprocessor",
        "annotator",
        "lineart",
        "canny",
        "hed",
        "pidinet",
        "mlsd",
        "openpose",
        "midas",
        "zoe",
        "leres",
        "normal bae",
        "teed",
        "depth map",
    )
    inputs = (
        io.Image.Input("image", tooltip="The keyframes, in the order of the film, before they are tiled."),
        io.Combo.Input(
            "kind",
            options=list(KINDS),
            default="lineart realistic",
            tooltip="What to draw. Take the kind that your ControlNet was taught with. 'canny' and 'lineart standard' "
            "need no file; the others say which file belongs into models/controlnet_aux. The code of 'openpose' is "
            "licensed for non-commercial use only, and 'pidinet' for research only.",
        ),
        resolution_input(),
        *dial_inputs(Options, "canny_low", "canny_high", "mlsd_score", "mlsd_distance", "pose_parts", advanced=True),
    )
    outputs = (
        output(
            io.Image, "maps", "One map for each picture, of the picture's size. Tile them with the keyframes' own plan."
        ),
    )

    @classmethod
    def execute(cls, image: torch.Tensor, kind: str, resolution: int, **options: DialValue) -> io.NodeOutput:
        maps = draw_control_maps(
            list(pictures_from_images(image, "image")),
            kind,
            folders=folder_paths.get_folder_paths(DETECTOR_FOLDER),
            resolution=resolution,
            options=dials_from(Options, options),
            device=_free_device(),
            progress=Progress(),
        )
        return io.NodeOutput(torch.from_numpy(maps))


class EscalierSegmentationMap(Node):
    """Colours each pixel of the keyframes by what it belongs to (wall, floor, person ...), in the ADE20K palette that
    segmentation ControlNets were taught with. Reads an UperNet or SegFormer from a local folder; nothing is downloaded.
    """

    display_name = "Segmentation Map"
    search_aliases = ("controlnet seg", "semantic segmentation", "segformer", "upernet", "ade20k")
    inputs = (
        io.Image.Input("image", tooltip="The keyframes, before they are tiled."),
        SEGMENTATION.menu(
            "folder",
            "A folder inside models/segmentation with all files of a transformers model for ADE20K: "
            "nvidia/segformer-b4-finetuned-ade-512-512, say. Press R to find one put there just now.",
        ),
        resolution_input(),
    )
    outputs = (
        output(io.Image, "maps", "One map for each picture, of the picture's size."),
        output(io.String, "report", "What was found in the pictures, and how much of them it covers."),
    )

    @classmethod
    def validate_inputs(cls, folder: str) -> bool | str:
        return SEGMENTATION.check(folder)

    @classmethod
    def fingerprint_inputs(cls, folder: str, **_: object) -> tuple:
        return SEGMENTATION.fingerprint(folder)

    @classmethod
    def execute(cls, image: torch.Tensor, folder: str, resolution: int) -> io.NodeOutput:
        drawn = draw_segmentation_maps(
            list(pictures_from_images(image, "image")),
            SEGMENTATION.path(folder),
            resolution=resolution,
            device=_free_device(),
            progress=Progress(),
        )
        report = "\n".join(f"{share:.1%} {name}" for name, share in drawn.shares.items())
        return io.NodeOutput(torch.from_numpy(drawn.maps), report)


def _free_device() -> str:
    """The device that ComfyUI computes on, with room made: what ComfyUI has loaded there can come back later."""
    device = comfy.model_management.get_torch_device()
    if device.type != "cpu":
        comfy.model_management.free_memory(DETECTOR_BYTES, device)
    return str(device)
