"""Menu escalier/keyframes: choose keyframes, lay them on sheets for diffusion, cut the sheets back."""

import os
from pathlib import Path

import folder_paths
from comfy_api.v0_0_2 import io, ui

from escalier.film.motion import Motion
from escalier.keyframes import GridPlan, Keyframes, plan_grid, split, tile
from escalier.keyframes.choose import MODES, PER_SECOND, choose_keyframes, format_indices, parse_indices
from escalier.keyframes.files import read_keyframes, write_keyframes
from escalier.keyframes.plan import ANCHORS, FITS, MAX_SIDE_PX, PER_SHEET

from . import sockets
from .errors import named_after_node
from .progress import Progress
from .tensors import images_from_pictures, pictures_from_images
from .video import film_from_input

CATEGORY = "escalier/keyframes"
FIRST = ["0", "1"]
FIRST_TOOLTIP = "The number of the film's first frame in the file names. Blender and many exporters begin with 1."


class EscalierChooseKeyframes(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierChooseKeyframes",
            display_name="Choose Keyframes",
            category=CATEGORY,
            description="Chooses the frames of a film that are to be painted, and hands them out as pictures.",
            search_aliases=["pick frames", "extract frames", "select frames", "every nth frame"],
            inputs=[
                sockets.film_input("The filmed clip: a video, or a batch of images."),
                io.Combo.Input(
                    "mode",
                    options=list(MODES),
                    default=MODES[0],
                    tooltip="How to choose. 'per second': evenly, so many a second. 'count': evenly, so many in all. "
                    "'every n': every n frames. 'motion': where the motion uncovers the most; connect motion for it.",
                ),
                io.Float.Input(
                    "per_second",
                    default=PER_SECOND,
                    min=0.01,
                    max=60.0,
                    step=0.05,
                    tooltip="Keyframes per second of film. 0.5 is one every two seconds: fades between them are then "
                    "long enough to go unnoticed. Over 2, fades look like jump cuts.",
                ),
                io.Int.Input(
                    "count",
                    default=0,
                    min=0,
                    max=9999,
                    tooltip="How many keyframes in all, for the modes 'count' and 'motion'. In 'motion', 0 takes as "
                    "many as per_second gives.",
                ),
                io.Int.Input(
                    "n",
                    default=48,
                    min=1,
                    max=99999,
                    tooltip="Frames from one keyframe to the next, for the mode 'every n'. 48 is two seconds at 24 "
                    "frames per second.",
                ),
                io.Int.Input(
                    "minimum_gap",
                    default=0,
                    min=0,
                    max=99999,
                    advanced=True,
                    tooltip="In the mode 'motion', at least so many frames from one keyframe to the next. 0 takes half "
                    "of the even spacing.",
                ),
                sockets.Motion.Input(
                    "motion",
                    optional=True,
                    tooltip="How the film moves, from Measure Motion. Needed for the mode 'motion' only.",
                ),
            ],
            outputs=[
                sockets.Keyframes.Output(
                    display_name="keyframes", tooltip="The chosen frames with their places in the film, unpainted."
                ),
                io.Image.Output(display_name="images", tooltip="The chosen frames as pictures, to paint or to save."),
                io.String.Output(display_name="indices", tooltip="Their frame numbers, counted from 0: 0, 24, 48."),
            ],
        )

    @classmethod
    @named_after_node
    def execute(cls, film, mode, per_second, count, n, minimum_gap, motion: Motion | None = None) -> io.NodeOutput:
        source = film_from_input(film)
        indices = choose_keyframes(
            source,
            mode,
            per_second=per_second,
            count=None if mode == "motion" and count == 0 else count,
            n=n,
            motion=motion,
            minimum_gap=minimum_gap or None,
            progress=Progress(),
        )
        keyframes = Keyframes(indices, [source.frame(index) for index in indices], len(source))
        return io.NodeOutput(keyframes, images_from_pictures(keyframes.pictures), format_indices(indices))


class EscalierSaveKeyframes(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierSaveKeyframes",
            display_name="Save Keyframes",
            category=CATEGORY,
            description="Saves keyframes as PNG files whose names end in their frame number, into a new folder of "
            "ComfyUI's output folder. Paint them in any program and bring them back with Load Keyframes: the number "
            "says where each one belongs.",
            search_aliases=["export keyframes", "write keyframes"],
            inputs=[
                sockets.Keyframes.Input("keyframes", tooltip="The keyframes to save, painted or not."),
                io.String.Input(
                    "folder_prefix",
                    default="escalier/keyframes",
                    tooltip="Where to save: this name and a number that rises with every run, so that nothing painted "
                    "is ever overwritten.",
                ),
                io.Combo.Input("first", options=FIRST, tooltip=FIRST_TOOLTIP, advanced=True),
            ],
            outputs=[],
            is_output_node=True,
        )

    @classmethod
    @named_after_node
    def execute(cls, keyframes: Keyframes, folder_prefix, first) -> io.NodeOutput:
        output = folder_paths.get_output_directory()
        parent, name, counter, subfolder, _ = folder_paths.get_save_image_path(folder_prefix, output, *keyframes.size)
        folder = f"{name}_{counter:05}"
        files = write_keyframes(Path(parent, folder), keyframes, first=int(first), progress=Progress())
        place = os.path.join(subfolder, folder)
        return io.NodeOutput(
            ui=ui.SavedImages([ui.SavedResult(file.name, place, io.FolderType.output) for file in files])
        )


class EscalierLoadKeyframes(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierLoadKeyframes",
            display_name="Load Keyframes",
            category=CATEGORY,
            description="Loads painted keyframes from a folder in ComfyUI's input folder. The last number in each file "
            "name is its frame: keyframe_000024.png stands at frame 24.",
            search_aliases=["import keyframes", "painted frames", "image folder", "load images"],
            inputs=[
                io.Combo.Input(
                    "folder",
                    options=folder_paths.get_input_subfolders(),
                    tooltip="A folder inside ComfyUI's input folder that holds the painted pictures and nothing else. "
                    "Press R to find a folder that was made just now.",
                ),
                sockets.film_input("The film that the keyframes belong to: they must have its size."),
                io.Combo.Input("first", options=FIRST, tooltip=FIRST_TOOLTIP),
            ],
            outputs=[
                sockets.Keyframes.Output(display_name="keyframes", tooltip="The painted pictures with their places.")
            ],
        )

    @classmethod
    def validate_inputs(cls, folder) -> bool | str:
        return True if folder in folder_paths.get_input_subfolders() else _no_such_folder(folder)

    @classmethod
    def fingerprint_inputs(cls, folder, **_) -> list[tuple[str, int, int]]:
        """What changes when a picture is painted over, added or taken away."""
        files = sorted(Path(folder_paths.get_input_directory(), folder).iterdir())
        return [(file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files]

    @classmethod
    @named_after_node
    def execute(cls, folder, film, first) -> io.NodeOutput:
        if folder not in folder_paths.get_input_subfolders():
            raise ValueError(_no_such_folder(folder))
        source = film_from_input(film)
        place = Path(folder_paths.get_input_directory(), folder)
        return io.NodeOutput(read_keyframes(place, len(source), first=int(first), size=source.size))


def _no_such_folder(folder: str) -> str:
    return (
        f"folder must be one inside {folder_paths.get_input_directory()}, got {folder!r}; make it there, put the "
        "painted keyframes into it and press R"
    )


class EscalierKeyframesFromImages(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierKeyframesFromImages",
            display_name="Set Keyframes from Images",
            category=CATEGORY,
            description="Gives a batch of painted pictures their places in the film: picture 1 stands at the first "
            "frame number, picture 2 at the second, and so on.",
            search_aliases=["images to keyframes", "painted frames", "keyframe indices"],
            inputs=[
                io.Image.Input("images", tooltip="The painted pictures, in the order of the film, in its size."),
                io.String.Input(
                    "indices",
                    default="0",
                    tooltip="Frame number of each picture, counted from 0, rising: 0, 24, 48. The indices of Choose "
                    "Keyframes can be connected here.",
                ),
                sockets.film_input("The film that the pictures belong to: its length is the limit for the indices."),
            ],
            outputs=[sockets.Keyframes.Output(display_name="keyframes", tooltip="The pictures with their places.")],
        )

    @classmethod
    @named_after_node
    def execute(cls, images, indices, film) -> io.NodeOutput:
        length = len(film_from_input(film))
        pictures = pictures_from_images(images, "images")
        return io.NodeOutput(Keyframes(parse_indices(indices, length), pictures, length))


class EscalierKeyframesToImages(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierKeyframesToImages",
            display_name="Get Keyframe Images",
            category=CATEGORY,
            description="The pictures of keyframes as an image batch, with their frame numbers as text: to look at "
            "them, save them, or paint each one by itself.",
            search_aliases=["keyframes to images", "unpack keyframes"],
            inputs=[sockets.Keyframes.Input("keyframes", tooltip="The keyframes to take apart.")],
            outputs=[
                io.Image.Output(display_name="images", tooltip="One picture for each keyframe, in the film's order."),
                io.String.Output(display_name="indices", tooltip="Their frame numbers, counted from 0: 0, 24, 48."),
            ],
        )

    @classmethod
    @named_after_node
    def execute(cls, keyframes: Keyframes) -> io.NodeOutput:
        return io.NodeOutput(images_from_pictures(keyframes.pictures), format_indices(keyframes.indices))


class EscalierPlanGrid(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierPlanGrid",
            display_name="Plan Keyframe Grid",
            category=CATEGORY,
            description="Plans how keyframes share one or more sheets, so that one diffusion pass paints them all in "
            "the same look, and says beforehand what may go wrong: cells too small, too many, too close in time.",
            search_aliases=["contact sheet", "sprite sheet", "grid layout", "keyframe sheet"],
            inputs=[
                sockets.Keyframes.Input("keyframes", tooltip="The keyframes to lay out, not yet painted."),
                sockets.film_input(
                    "Connect the film to be warned when keyframes follow one another faster than 2 per second.",
                    optional=True,
                ),
                io.Int.Input(
                    "max_side",
                    default=MAX_SIDE_PX,
                    min=64,
                    max=8192,
                    step=64,
                    tooltip="The longest a side of a sheet may be, in pixels. 1920, because above about that diffusion "
                    "models repeat and tear the picture and their memory explodes. Larger gives larger cells.",
                ),
                io.Int.Input(
                    "per_sheet",
                    default=PER_SHEET,
                    min=1,
                    max=49,
                    tooltip="At most this many cells on a sheet. 9, because faces break in smaller cells; 4 to 9 is a "
                    "good range. More puts more keyframes under one look.",
                ),
                io.Combo.Input(
                    "anchors",
                    options=list(ANCHORS),
                    default="first",
                    tooltip="Cells repeated on every sheet when there are several, so that faces and colours do not "
                    "drift from sheet to sheet. 'first' repeats the first keyframe, 'previous' the last new one of "
                    "the sheet before.",
                ),
                io.Combo.Input(
                    "fit",
                    options=list(FITS),
                    default="scale",
                    advanced=True,
                    tooltip="'scale' scales keyframes down to their cells, so that more fit on a sheet. 'pad' never "
                    "scales: the split then returns every pixel as it was painted.",
                ),
                io.Int.Input(
                    "gutter",
                    default=0,
                    min=0,
                    max=512,
                    step=64,
                    advanced=True,
                    tooltip="Grey pixels between cells. 0 leaves the most room; 64 keeps a model from painting across "
                    "from one cell into the next.",
                ),
            ],
            outputs=[
                sockets.Grid.Output(
                    display_name="grid", tooltip="The plan, for Tile Keyframe Grid and Split Keyframe Grid."
                ),
                io.String.Output(
                    display_name="report", tooltip="The plan in words, with its warnings. Read it before diffusion."
                ),
            ],
        )

    @classmethod
    @named_after_node
    def execute(cls, keyframes: Keyframes, max_side, per_sheet, anchors, fit, gutter, film=None) -> io.NodeOutput:
        plan = plan_grid(
            keyframes.indices,
            keyframes.size,
            keyframes.length,
            rate=None if film is None else film_from_input(film).rate,
            max_side=max_side,
            per_sheet=per_sheet,
            gutter=gutter,
            fit=fit,
            anchors=anchors,
        )
        return io.NodeOutput(plan, plan.describe())


class EscalierTileGrid(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierTileGrid",
            display_name="Tile Keyframe Grid",
            category=CATEGORY,
            description="Lays keyframes on the sheets of a plan. Send the sheets through diffusion, then cut them back "
            "with Split Keyframe Grid.",
            search_aliases=["make grid", "contact sheet", "join keyframes"],
            inputs=[
                sockets.Grid.Input("grid", tooltip="The plan that Plan Keyframe Grid made for these keyframes."),
                sockets.Keyframes.Input("keyframes", tooltip="The keyframes to lay on the sheets."),
            ],
            outputs=[
                io.Image.Output(
                    display_name="sheets",
                    tooltip="One picture for each sheet. Its sides are multiples of 64, so no model crops it.",
                )
            ],
        )

    @classmethod
    @named_after_node
    def execute(cls, grid: GridPlan, keyframes: Keyframes) -> io.NodeOutput:
        return io.NodeOutput(images_from_pictures(tile(grid, keyframes)))


class EscalierSplitGrid(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierSplitGrid",
            display_name="Split Keyframe Grid",
            category=CATEGORY,
            description="Cuts painted sheets back into keyframes, each at its place in the film. Pixels that were not "
            "scaled come back bit for bit. A sheet that was upscaled by a whole factor is welcome: it makes sharper "
            "keyframes. A cropped or stretched sheet is refused.",
            search_aliases=["cut grid", "slice grid", "ungrid"],
            inputs=[
                sockets.Grid.Input("grid", tooltip="The plan that the sheets were laid out by."),
                io.Image.Input("sheets", tooltip="The painted sheets, in the same order."),
                io.Combo.Input(
                    "size",
                    options=["film", "painted"],
                    default="film",
                    advanced=True,
                    tooltip="'film' brings every keyframe to the film's size, as propagation needs it. 'painted' "
                    "leaves the pixels exactly as they stand on the sheet.",
                ),
            ],
            outputs=[sockets.Keyframes.Output(display_name="keyframes", tooltip="The painted keyframes.")],
        )

    @classmethod
    @named_after_node
    def execute(cls, grid: GridPlan, sheets, size) -> io.NodeOutput:
        return io.NodeOutput(split(grid, pictures_from_images(sheets, "sheets"), size=size))
