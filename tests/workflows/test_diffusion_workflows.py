"""The diffusion workflows run from end to end with random models: what is wired where, what stays and what repeats.

The films of the input folder, the names of models, sizes and steps are substituted; the graphs are the shipped ones.
"""

from __future__ import annotations

import json
import re
import shutil
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from tiny_models import checkpoints, detectors, segformer

from escalier.comfyui import ComfyUIError, Server, Workflow, load_workflow
from escalier.commands.run import run_workflow
from escalier.composite import PlateSearch, camera_motion, make_clean_plate, plan_plate
from escalier.film import FilmMasks, Size, VideoFrames, read_picture
from escalier.keyframes import Keyframes, Sheet, lock_anchors, plan_grid, split, tile

MASK, IDS = "escalier_mask.mp4", "escalier_ids.mp4"
SEGFORMER = "tiny_segformer"
FAMILIES = {
    "keyframe_grid_multicontrolnet": "sd15",
    "keyframe_grid_sdxl": "sdxl",
    "environment_mlsd_depth_seg": "sd15",
    "img2img_per_frame": "sd15",
    "plate_inpaint_sdxl": "sdxl",
    "dancer_moving_camera": "sd15",
    "instruct_pix2pix_render": "sd15_instruct",
}
# Real detectors of half a gigabyte look at one workflow only; elsewhere drawing lines costs nothing.
DRAWN_BY_NETWORKS = {
    "environment_mlsd_depth_seg": {"mlsd", "depth midas"},
    "keyframe_grid_multicontrolnet": {"openpose"},
}
GRIDS = ["keyframe_grid_multicontrolnet", "keyframe_grid_sdxl", "environment_mlsd_depth_seg", "instruct_pix2pix_render"]
PLACES = {2: (3, 9), 3: (2, 6, 10)}
"""Where so many keyframes stand in the clip of 12 frames."""

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def diffusion_server(server: Server) -> Server:
    """The server with the tiny models."""
    checkpoints.write_models(server.comfyui.folder, server.base / "models")
    for kind in set().union(*DRAWN_BY_NETWORKS.values()):
        detectors.write_weights(kind, server.base / "models" / "controlnet_aux")
    segformer.write_segformer(server.base / "models" / "segmentation" / SEGFORMER)
    return server


@pytest.fixture(scope="module")
def run(diffusion_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run a shipped workflow in small; gives its pictures by name, and the titles of the nodes that were not cached."""

    def run_small(name: str, *settings: str, edit: Callable[[Workflow], None] | None = None) -> dict[str, Any]:
        workflow = small(load_workflow(name), name)
        if edit is not None:
            edit(workflow)
        kept: set[str] = set()

        def listen(kind: str, data: dict) -> None:
            if kind == "execution_cached":
                kept.update(data["nodes"])

        output = tmp_path_factory.mktemp(name)
        files = run_workflow(workflow, server=diffusion_server, output=output, settings=settings, listener=listen)
        pictures = {uncounted(path.name, files): read_picture(path) for path in files if path.suffix == ".png"}
        ran = {node["_meta"]["title"] for key, node in workflow.items() if key not in kept}
        return {"files": files, "pictures": pictures, "ran": ran}

    return run_small


def uncounted(name: str, files: list[Path]) -> str:
    """The name of a picture, without the number by which ComfyUI tells this run's files from earlier ones."""
    prefix = re.match(r"(\w+?)_\d+_?\.png", name).group(1)
    if prefix == "keyframe":
        return name
    return f"{prefix} {sum(file.name.startswith(prefix) and file.name <= name for file in files)}"


def small(workflow: Workflow, name: str) -> Workflow:
    """Names of models substituted; two or three keyframes, unscaled; two steps."""
    family = FAMILIES[name]
    changes = {
        "CheckpointLoaderSimple": {"ckpt_name": f"tiny_{family}.ckpt"},
        "UpscaleModelLoader": {"model_name": checkpoints.UPSCALER},
        "EscalierSegmentationMap": {"folder": SEGFORMER, "resolution": 64},
        "EscalierChooseKeyframes": {"mode": "count", "count": len(places(name))},
        "EscalierPlanGrid": {"fit": "pad"},
        "EscalierControlMap": {"resolution": 64},
        "KSampler": {"steps": 2},
    }
    loaders = 0
    for node in workflow.values():
        node["inputs"].update(changes.get(node["class_type"], {}))
        if node["class_type"] == "ControlNetLoader":
            loaders += 1
            file = "tiny_control_sdxl.pth" if family == "sdxl" else f"tiny_control_sd15_{loaders}.pth"
            node["inputs"]["control_net_name"] = file
        if node["class_type"] == "EscalierControlMap" and node["inputs"]["kind"] not in DRAWN_BY_NETWORKS.get(name, ()):
            node["inputs"]["kind"] = "canny"
        if node["class_type"] == "EscalierPlanGrid" and node["inputs"]["per_sheet"] > 1:
            node["inputs"]["per_sheet"] = 2
    return workflow


def places(name: str) -> tuple[int, ...]:
    """Three keyframes need two sheets of two cells, with an anchor cell; that is what SDXL's workflow is about."""
    return PLACES[3 if name == "keyframe_grid_sdxl" else 2]


def only(workflow: Workflow, class_type: str) -> str:
    (key,) = (key for key, node in workflow.items() if node["class_type"] == class_type)
    return key


def keyframes_of(result: dict[str, Any]) -> dict[str, np.ndarray]:
    return {name: picture for name, picture in result["pictures"].items() if name.startswith("keyframe_")}


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


@pytest.fixture(scope="module")
def filmed(diffusion_server: Server) -> VideoFrames:
    """The clip as the nodes read it."""
    return VideoFrames(diffusion_server.base / "input" / "escalier_clip.mp4")


@pytest.mark.parametrize("name", GRIDS)
def test_grid_workflow_paints_the_keyframes_of_the_film(run: Run, filmed: VideoFrames, name: str) -> None:
    result = run(name)
    painted = keyframes_of(result)
    assert list(painted) == [f"keyframe_{index:06d}.png" for index in places(name)]
    assert all(Size.of(picture) == filmed.size for picture in painted.values())
    assert any(np.abs(painted[f"keyframe_{i:06d}.png"].astype(int) - filmed.frame(i)).mean() > 5 for i in places(name))
    sheets = [picture for file, picture in result["pictures"].items() if file.startswith("sheet")]
    assert sheets and all(side % 64 == 0 for sheet in sheets for side in Size.of(sheet))


def test_per_frame_workflow_writes_a_film_of_the_clips_time_and_size(run: Run, filmed: VideoFrames) -> None:
    (file,) = (
        path for path in run("img2img_per_frame", "Choose Keyframes.mode=every n")["files"] if path.suffix == ".mp4"
    )
    made = VideoFrames(file)
    assert (len(made), made.size, made.rate) == (len(filmed), filmed.size, filmed.rate)


def test_plate_workflow_changes_nothing_outside_the_hole(
    run: Run, diffusion_server: Server, filmed: VideoFrames
) -> None:
    one, other = (run("plate_inpaint_sdxl", f"Fill the hole.seed={seed}")["pictures"] for seed in (1, 2))
    masks = FilmMasks(VideoFrames(diffusion_server.base / "input" / MASK))
    plate = make_clean_plate(filmed, masks)
    filled, again = (next(p for name, p in run_.items() if name.startswith("filled_plate")) for run_ in (one, other))
    hole = cv2.dilate(plate.unseen.astype(np.uint8), np.ones((25, 25), np.uint8)).astype(bool)
    assert 0 < hole.mean() < 1
    assert np.array_equal(filled[~hole], plate.picture[~hole])
    assert not np.array_equal(filled[plate.unseen], again[plate.unseen])
    room = next(picture for name, picture in one.items() if name.startswith("new_room"))
    assert Size.of(room) == filmed.size


def test_room_that_moves_with_the_camera_stands_behind_the_dancer(
    run: Run, diffusion_server: Server, filmed: VideoFrames
) -> None:
    """Without noise, all that is left of diffusion is the VAE, which takes the mean of each 8x8 block."""
    result = run("dancer_moving_camera", "Restyle the room.denoise=0")
    (room,) = (picture for name, picture in result["pictures"].items() if name.startswith("moving_room"))
    masks = FilmMasks(VideoFrames(diffusion_server.base / "input" / MASK))
    plan = plan_plate(camera_motion(filmed, masks))
    assert Size.of(room) == plan.size and plan.size != filmed.size
    plate = make_clean_plate(filmed, masks, 0, PlateSearch(fill="telea"), plan=plan)
    assert np.abs(room.astype(float) - block_means(plate.picture)).mean() < 3
    (file,) = (path for path in result["files"] if path.suffix == ".mp4")
    made = VideoFrames(file)
    assert (len(made), made.size, made.rate) == (len(filmed), filmed.size, filmed.rate)
    for index in (0, 11):
        hers = cv2.erode((masks.at(index) > 127).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        apart = np.abs(made.frame(index).astype(int) - filmed.frame(index)).mean(axis=2)
        assert apart[hers].mean() < 12 and apart[masks.at(index) == 0].mean() > apart[hers].mean() / 2


def test_instruction_changes_only_the_chosen_objects(run: Run, diffusion_server: Server, filmed: VideoFrames) -> None:
    ids = VideoFrames(diffusion_server.base / "input" / IDS)
    for index, picture in zip(PLACES[2], keyframes_of(run("instruct_pix2pix_render")).values(), strict=True):
        chosen = ids.frame(index)[..., 0] > 100
        near = cv2.dilate(chosen.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
        assert np.array_equal(picture[~near], filmed.frame(index)[~near])
        assert np.abs(picture[chosen].astype(int) - filmed.frame(index)[chosen]).mean() > 5


def test_same_seed_gives_the_same_keyframes_to_the_bit(run: Run, diffusion_server: Server) -> None:
    name = "keyframe_grid_multicontrolnet"
    folder = diffusion_server.base / "models" / "checkpoints"
    # Another name for the same file: nothing behind it can come from ComfyUI's cache.
    shutil.copy(folder / "tiny_sd15.ckpt", folder / "same_again.ckpt")
    first, again = run(name), run(name, "Load Checkpoint.ckpt_name=same_again.ckpt")
    assert {"KSampler", "VAE Decode", "Load Checkpoint"} <= again["ran"]
    assert same(first["pictures"], again["pictures"])
    assert not same(keyframes_of(first), keyframes_of(run(name, "KSampler.seed=99")))


def test_controlnets_at_strength_0_have_no_effect(run: Run) -> None:
    holds = [f"Hold the {what}.strength" for what in ("lines", "depth", "poses")]
    name = "keyframe_grid_multicontrolnet"

    def leave_out(workflow: Workflow) -> None:
        titles = {node["_meta"]["title"]: key for key, node in workflow.items()}
        sampler = workflow[only(workflow, "KSampler")]["inputs"]
        sampler |= {"positive": [titles["What to paint"], 0], "negative": [titles["What to avoid"], 0]}
        workflow[only(workflow, "KSampler")]["inputs"] = sampler

    without = keyframes_of(run(name, edit=leave_out))
    assert same(keyframes_of(run(name, *(f"{hold}=0" for hold in holds))), without)
    for hold in holds:
        others = (f"{one}=0" for one in holds if one != hold)
        assert not same(keyframes_of(run(name, f"{hold}=1", *others)), without), hold


UNION = (
    "Load Checkpoint.ckpt_name=tiny_sdxl_wide.ckpt",
    f"Load ControlNet Model.control_net_name={checkpoints.UNION}",
    # The wide model has 500 million weights: one sheet, one step, no second look without the prompt.
    "Choose Keyframes.count=2", "KSampler.steps=1", "KSampler.cfg=1",
)  # fmt: skip


def test_union_controlnet_holds_what_it_is_told_to_look_at(run: Run) -> None:
    """One file for two kinds of maps; at strength 0 it does nothing, and each kind works in its own way."""
    name, lines, depth = "keyframe_grid_sdxl", "Hold the lines.strength", "Hold the depth.strength"

    def leave_out(workflow: Workflow) -> None:
        titles = {node["_meta"]["title"]: key for key, node in workflow.items()}
        workflow[only(workflow, "KSampler")]["inputs"] |= {
            "positive": [titles["What to paint"], 0],
            "negative": [titles["What to avoid"], 0],
        }

    def painted(*settings: str, edit: Callable[[Workflow], None] | None = None) -> dict[str, np.ndarray]:
        return keyframes_of(run(name, *UNION, *settings, edit=edit))

    without = painted(edit=leave_out)
    assert same(painted(f"{lines}=0", f"{depth}=0"), without)
    held = painted(f"{lines}=1", f"{depth}=0")
    assert not same(held, without)
    assert not same(held, painted(f"{lines}=1", f"{depth}=0", "It looks at lines.type=depth"))


def test_union_controlnet_of_another_family_is_refused_in_a_sentence(run: Run) -> None:
    refusal = "Check ControlNets: control_net must be of the model's family, SD 1.5, got one for SDXL; load"
    with pytest.raises(ComfyUIError, match=refusal):
        run("img2img_per_frame", f"ControlNet for lines.control_net_name={checkpoints.UNION}")


def test_cell_lands_at_its_keyframes_place_to_the_block_of_the_vae(run: Run, filmed: VideoFrames) -> None:
    """Without noise, all that is left of diffusion is the VAE, which takes the mean of each 8x8 block."""
    painted = keyframes_of(run("keyframe_grid_sdxl", "KSampler.denoise=0", "Lock Grid Colours.strength=0"))
    frames = Keyframes.of(filmed, PLACES[3])
    plan = plan_grid(frames.indices, frames.size, frames.length, Sheet(per_sheet=2, fit="pad"))
    assert len(plan.sheets) == 2
    blocks = split(plan, [block_means(sheet) for sheet in tile(plan, frames)])
    for (index, expected), picture in zip(blocks, painted.values(), strict=True):
        difference = np.abs(picture.astype(float) - expected)
        assert difference.mean() < 1.5 and difference.max() <= 4, index
    assert np.abs(blocks.pictures[0].astype(float) - blocks.pictures[-1]).mean() > 4, "keyframes must differ"


def block_means(sheet: np.ndarray) -> np.ndarray:
    small_sheet = cv2.resize(sheet, None, fx=1 / 8, fy=1 / 8, interpolation=cv2.INTER_AREA)
    return cv2.resize(small_sheet, None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)


def test_cell_lands_at_its_keyframes_place_to_the_pixel_without_the_vae(run: Run, filmed: VideoFrames) -> None:
    def leave_out(workflow: Workflow) -> None:
        tiled = next(key for key, node in workflow.items() if node["_meta"]["title"] == "Tile the film")
        workflow[only(workflow, "ImageUpscaleWithModel")]["inputs"]["image"] = [tiled, 0]

    painted = keyframes_of(run("keyframe_grid_sdxl", edit=leave_out))
    for index, picture in zip(PLACES[3], painted.values(), strict=True):
        assert np.array_equal(picture, filmed.frame(index))


def add(workflow: Workflow, title: str, class_type: str, **inputs: Any) -> None:
    workflow[title] = {"class_type": class_type, "inputs": inputs, "_meta": {"title": title}}


def test_accepted_anchor_cells_are_locked_in_later_sheets(run: Run, filmed: VideoFrames) -> None:
    """The second sheet painted anew round the anchor cell of the first, which the sampler must leave as it is."""

    def paint_again(workflow: Workflow) -> None:
        titles = {node["_meta"]["title"]: key for key, node in workflow.items()}
        grid, sheets = [only(workflow, "EscalierPlanGrid"), 0], [titles["Tile the film"], 0]
        sampler, vae = workflow[only(workflow, "KSampler")]["inputs"], [titles["Load Checkpoint"], 2]
        positive, negative = [titles["What to paint"], 0], [titles["What to avoid"], 0]
        painted = [titles["Lock Grid Colours"], 0]
        add(workflow, "accepted", "ImageFromBatch", image=painted, batch_index=0, length=1)
        accepted = ["accepted", 0]
        add(workflow, "lock", "EscalierLockAnchorCells", grid=grid, sheets=sheets, accepted=accepted, count=0)
        add(workflow, "encode", "VAEEncode", pixels=["lock", 0], vae=vae)
        add(workflow, "mask", "SetLatentNoiseMask", samples=["encode", 0], mask=["lock", 1])
        again = {**sampler, "positive": positive, "negative": negative, "latent_image": ["mask", 0], "seed": 7}
        add(workflow, "sample", "KSampler", **again)
        add(workflow, "decode", "VAEDecode", samples=["sample", 0], vae=vae)
        add(workflow, "save", "SaveImage", images=["decode", 0], filename_prefix="escalier/locked")
        add(workflow, "paste", "EscalierPasteAnchorCells", grid=grid, accepted=accepted, painted=["decode", 0])
        add(workflow, "save both", "SaveImage", images=["paste", 0], filename_prefix="escalier/pasted")

    pictures = run("keyframe_grid_sdxl", edit=paint_again)["pictures"]
    frames = Keyframes.of(filmed, PLACES[3])
    plan = plan_grid(frames.indices, frames.size, frames.length, Sheet(per_sheet=2, fit="pad", anchors="first"))
    lock = lock_anchors(plan, tile(plan, frames), [pictures["sheet 1"]])
    locked, painted = lock.masks[0] == 0, pictures["locked 1"].astype(int)
    assert 0.2 < locked.mean() < 0.8
    assert np.abs(painted - block_means(lock.sheets[0]))[locked].max() <= 4
    assert np.abs(painted - lock.sheets[0])[~locked].mean() > 5
    assert np.array_equal(pictures["pasted 1"], pictures["sheet 1"])
    assert np.array_equal(pictures["pasted 2"][locked], lock.sheets[0][locked])


def test_depth_pass_of_the_render_holds_what_the_instruction_paints(run: Run) -> None:
    name, strength = "instruct_pix2pix_render", "Hold the depth.strength"
    held, free = (keyframes_of(run(name, f"{strength}={value}")) for value in (1, 0))
    assert not same(held, free)

    def other_depth(workflow: Workflow) -> None:
        loader = next(node for node in workflow.values() if node["_meta"]["title"] == "Load the depth pass")
        loader["inputs"]["file"] = IDS

    assert not same(held, keyframes_of(run(name, f"{strength}=1", edit=other_depth)))
    assert same(free, keyframes_of(run(name, f"{strength}=0", edit=other_depth)))


def test_a_map_of_comfyuis_own_node_takes_the_place_of_ours(run: Run) -> None:
    def swap(workflow: Workflow) -> None:
        titles = {node["_meta"]["title"]: key for key, node in workflow.items()}
        pictures = workflow[titles["Lines"]]["inputs"]["image"]
        add(workflow, "own", "Canny", image=pictures, low_threshold=0.2, high_threshold=0.5)
        workflow[titles["Places of the lines"]]["inputs"]["images"] = ["own", 0]

    name = "keyframe_grid_multicontrolnet"
    own, ours = keyframes_of(run(name, edit=swap)), keyframes_of(run(name))
    assert own.keys() == ours.keys()
    assert not same(own, ours)


@pytest.mark.parametrize(
    ("source", "output", "target", "socket"),
    [
        ("DA3Render", "IMAGE", "EscalierKeyframesFromImages", "images"),
        ("MoGeRender", "IMAGE", "EscalierKeyframesFromImages", "images"),
        ("SDPoseDrawKeypoints", "IMAGE", "EscalierKeyframesFromImages", "images"),
        ("SAM3_Detect", "MASK", "EscalierTrackMask", "mask"),
        ("SAM3_TrackToMask", "MASK", "EscalierCleanPlate", "mask"),
        ("SAM3_TrackToMask", "MASK", "EscalierMaskEdge", "mask"),
    ],
)
def test_comfyuis_depth_pose_and_sam_nodes_plug_into_our_sockets(
    diffusion_server: Server, source: str, output: str, target: str, socket: str
) -> None:
    """They need weights that no test has, so the server is asked what it would let an artist connect."""
    nodes = {}
    for name in (source, target):
        with urllib.request.urlopen(f"{diffusion_server.url}/object_info/{name}", timeout=60) as answer:
            nodes |= json.load(answer)
    taken = nodes[target]["input"]
    assert output in nodes[source]["output"]
    assert output in {**taken["required"], **taken.get("optional", {})}[socket][0].split(",")


def test_controlnet_of_another_family_is_refused_in_a_sentence(run: Run) -> None:
    refusal = "Check ControlNets: control_net_2 must be of the model's family, SD 1.5, got one for SDXL; load"
    with pytest.raises(ComfyUIError, match=refusal):
        run("keyframe_grid_multicontrolnet", "ControlNet for depth.control_net_name=tiny_control_sdxl.pth")


def test_checkpoint_that_is_a_web_page_stops_at_its_loader(run: Run, diffusion_server: Server) -> None:
    page = diffusion_server.base / "models" / "checkpoints" / "page.safetensors"
    page.write_text("<!DOCTYPE html><html><body>Sign in to download</body></html>")
    with pytest.raises(ComfyUIError, match=r"Load Checkpoint.*must be a model, .* a web page .* download it"):
        run("img2img_per_frame", f"Load Checkpoint.ckpt_name={page.name}")


def test_vae_that_pads_is_refused_before_anything_is_saved(run: Run) -> None:
    def pad(workflow: Workflow) -> None:
        decode, split_node = only(workflow, "VAEDecode"), only(workflow, "EscalierSplitGrid")
        sides = {"left": 0, "top": 0, "right": 16, "bottom": 8, "feathering": 0}
        workflow["pad"] = {
            "class_type": "ImagePadForOutpaint",
            "inputs": {"image": [decode, 0], **sides},
            "_meta": {"title": "Pad"},
        }
        workflow[split_node]["inputs"]["sheets"] = ["pad", 0]

    with pytest.raises(ComfyUIError, match=r"Split Keyframe Grid: sheet 1 must be 192x256 as planned, .* got 208x264"):
        run("keyframe_grid_multicontrolnet", edit=pad)
