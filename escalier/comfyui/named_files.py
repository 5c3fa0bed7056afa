"""Which inputs of a workflow name files: models by the kind of folder they lie in, pictures and clips by their loader.

Core's inputs are those of ComfyUI 0.30, read from its own menus.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .workflow import Place, Workflow, is_link, shipped_workflows

# Kind of model folder -> the inputs, NODE TYPE.INPUT, that name a file in it.
MODEL_INPUTS = {
    "audio_encoders": "AudioEncoderLoader.audio_encoder_name",
    "background_removal": "LoadBackgroundRemovalModel.bg_removal_name",
    "checkpoints": "CheckpointLoaderSimple.ckpt_name CheckpointLoader.ckpt_name unCLIPCheckpointLoader.ckpt_name "
    "ImageOnlyCheckpointLoader.ckpt_name CreateHookModelAsLora.ckpt_name CreateHookModelAsLoraModelOnly.ckpt_name "
    "LTXVAudioVAELoader.ckpt_name LTXAVTextEncoderLoader.ckpt_name",
    "clip_vision": "CLIPVisionLoader.clip_name",
    "configs": "CheckpointLoader.config_name",
    "controlnet": "ControlNetLoader.control_net_name DiffControlNetLoader.control_net_name",
    "detection": "LoadMediaPipeFaceLandmarker.model_name",
    "diffusion_models": "UNETLoader.unet_name",
    "frame_interpolation": "FrameInterpolationModelLoader.model_name",
    "geometry_estimation": "LoadMoGeModel.model_name LoadDA3Model.model_name",
    "gligen": "GLIGENLoader.gligen_name",
    "hypernetworks": "HypernetworkLoader.hypernetwork_name",
    "latent_upscale_models": "LatentUpscaleModelLoader.model_name",
    "loras": "LoraLoader.lora_name LoraLoaderModelOnly.lora_name LoraLoaderBypass.lora_name "
    "LoraLoaderBypassModelOnly.lora_name CreateHookLora.lora_name CreateHookLoraModelOnly.lora_name",
    "model_patches": "ModelPatchLoader.name",
    "optical_flow": "OpticalFlowLoader.model_name",
    "photomaker": "PhotoMakerLoader.photomaker_model_name",
    "rembg": "EscalierLoadMatteModel.model",
    "sams": "EscalierLoadSam.model",
    "style_models": "StyleModelLoader.style_model_name",
    "text_encoders": "CLIPLoader.clip_name DualCLIPLoader.clip_name1 DualCLIPLoader.clip_name2 "
    "TripleCLIPLoader.clip_name1 TripleCLIPLoader.clip_name2 TripleCLIPLoader.clip_name3 "
    "QuadrupleCLIPLoader.clip_name1 QuadrupleCLIPLoader.clip_name2 QuadrupleCLIPLoader.clip_name3 "
    "QuadrupleCLIPLoader.clip_name4 LTXAVTextEncoderLoader.text_encoder",
    "upscale_models": "UpscaleModelLoader.model_name",
    "vae": "VAELoader.vae_name",
}
# The same for models that are folders, with the file that makes one of a folder.
FOLDER_INPUTS = {
    "sam2": ("config.json", "EscalierTrackMaskSam2.model"),
    "segmentation": ("config.json", "EscalierSegmentationMap.folder"),
    "diffusers": ("model_index.json", "EscalierLoadPipeline.pipeline"),
}
# Inputs that may name a file of another kind, too.
ALSO = {"EscalierLoadPipeline.pipeline": ("checkpoints",), "VAELoader.vae_name": ("vae_approx",)}
# Inputs that take an uploaded file, with the mark by which /object_info says so; and those that name a folder.
UPLOAD_INPUTS = {
    "LoadImage.image": "image_upload",
    "LoadImageMask.image": "image_upload",
    "LoadVideo.file": "video_upload",
    "LoadAudio.audio": "audio_upload",
}
INPUT_FOLDERS = ("EscalierLoadKeyframes.folder",)

NOTHING = ("", "none", "[none]")
# Where files come from that no shipped workflow's canvas names, and how large files are, roughly.
SOURCES = {
    "rife_v4.26.safetensors": "https://huggingface.co/Comfy-Org/frame_interpolation",
    "film_net_fp16.safetensors": "https://huggingface.co/Comfy-Org/frame_interpolation",
    "u2net.onnx": "https://github.com/danielgatis/rembg/releases",
    "isnet-general-use.onnx": "https://github.com/danielgatis/rembg/releases",
    "sam2.1-hiera-small": "https://huggingface.co/facebook/sam2.1-hiera-small (the whole folder)",
}
MEGABYTES = {
    "sam_vit_b_01ec64.pth": 375,
    "v1-5-pruned-emaonly-fp16.safetensors": 2130,
    "sd_xl_base_1.0.safetensors": 6940,
    "instruct-pix2pix-00-22000.safetensors": 7700,
    "control_v11p_sd15_canny_fp16.safetensors": 723,
    "control_v11p_sd15_lineart_fp16.safetensors": 723,
    "control_v11p_sd15_mlsd_fp16.safetensors": 723,
    "control_v11p_sd15_openpose_fp16.safetensors": 723,
    "control_v11p_sd15_seg_fp16.safetensors": 723,
    "control_v11f1p_sd15_depth_fp16.safetensors": 723,
    "controlnet-union-sdxl-1.0-promax.safetensors": 2510,
    "RealESRGAN_x2plus.pth": 67,
    "dpt_hybrid-midas-501f0c75.pt": 493,
    "mlsd_large_512_fp32.pth": 6,
    "sk_model.pth": 17,
    "ControlNetHED.pth": 59,
}


@dataclass(frozen=True)
class NamedFile:
    """A file that an input names."""

    place: Place
    """The input."""
    names: tuple[str, ...]
    """The file, below one of its folders; where there are several, any of them will do."""
    kinds: tuple[str, ...]
    """The kinds of model folder that may hold it, the usual one first; "input" is ComfyUI's input folder."""
    inside: str = ""
    """Of a model that is a folder, the file that it must hold."""
    deep: bool = False
    """Whether it may lie in any folder below."""
    source: str = ""
    """Where it comes from, where that is known."""

    @property
    def kind(self) -> str:
        return self.kinds[0]


def named_files(workflow: Workflow) -> list[NamedFile]:
    """Every file that the workflow names and will read; nodes whose results nobody takes are left out.

    >>> node = {"class_type": "UpscaleModelLoader", "inputs": {"model_name": "RealESRGAN_x2plus.pth"}}
    >>> flow = {"1": node, "2": {"class_type": "ImageUpscaleWithModel", "inputs": {"upscale_model": ["1", 0]}}}
    >>> [(found.names, found.kind) for found in named_files(flow)]
    [(('RealESRGAN_x2plus.pth',), 'upscale_models')]
    """
    taken = {value[0] for node in workflow.values() for value in node["inputs"].values() if is_link(value, workflow)}
    found: list[NamedFile] = []
    for node_id in workflow:
        if node_id in taken:
            found += _named_by(workflow, node_id)
    return found


def _named_by(workflow: Workflow, node_id: str) -> Iterator[NamedFile]:
    node = workflow[node_id]
    class_type = node["class_type"]
    for field, value in node["inputs"].items():
        if not isinstance(value, str) or value.lower() in NOTHING:
            continue
        place, name = Place(node_id, field), f"{class_type}.{field}"
        if name in _KINDS and not (class_type == "VAELoader" and "." not in value):  # ComfyUI's own small ones
            kind, inside = _KINDS[name]
            yield NamedFile(place, (value,), (kind, *ALSO.get(name, ())), inside, source=source_of(value))
        elif class_type == "EscalierLoadPipeline" and field.startswith("control_net"):
            yield NamedFile(place, (value,), ("controlnet", "diffusers"), "config.json", source=source_of(value))
        elif (name in UPLOAD_INPUTS or name in INPUT_FOLDERS) and not re.search(r" \[(output|temp)\]$", value):
            yield NamedFile(place, (value.removesuffix(" [input]"),), ("input",))


_KINDS = {name: (kind, "") for kind, names in MODEL_INPUTS.items() for name in names.split()}
_KINDS |= {name: (kind, inside) for kind, (inside, name) in FOLDER_INPUTS.items()}


def source_of(name: str) -> str:
    """Where a model comes from: as the canvas of a shipped workflow says, or a list of our own; "" where it is unknown.

    >>> source_of("u2net.onnx"), source_of("mine.safetensors")
    ('https://github.com/danielgatis/rembg/releases', '')
    """
    if name in SOURCES:
        return SOURCES[name]
    for path in shipped_workflows().values():
        try:
            nodes = json.loads((path.parent.parent / path.name).read_text(encoding="utf-8"))["nodes"]
        except (OSError, ValueError, KeyError):  # an api workflow that has no canvas
            continue
        models = [model for node in nodes for model in node.get("properties", {}).get("models", ())]
        for model in models:
            if model.get("name") == name:
                return str(model.get("url", ""))
    return ""


def makers_of(name: str, workflow: Workflow) -> list[str]:
    """The nodes of a workflow that save under a prefix like this name: "escalier/plate" makes escalier_plate.png.

    >>> node = {"class_type": "SaveImage", "inputs": {"filename_prefix": "escalier/plate"}}
    >>> makers_of("escalier_plate.png", {"12": node}), makers_of("plate.png", {"12": node})
    (['12'], [])
    """
    wanted = _flat(Path(name).stem)
    return [
        node_id
        for node_id, node in workflow.items()
        for field in ("filename_prefix", "folder_prefix")
        if isinstance(node["inputs"].get(field), str) and _flat(node["inputs"][field]) == wanted
    ]


def _flat(prefix: str) -> str:
    return re.sub(r"[\\/]", "_", prefix).lower()
