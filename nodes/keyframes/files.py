"""Keyframes as painted files and as image batches, and back."""

import os
from pathlib import Path

import folder_paths
import torch
from comfy_api.v0_0_2 import io, ui

from escalier.keyframes import (
    Keyframes,
    format_indices,
    list_keyframes,
    parse_indices,
    remark_misplaced,
    write_keyframes,
)
from escalier.log import log
from escalier.refusals import Refusal

from .. import sockets
from ..allowed_files import AllowedFiles, is_plain, shown
from ..node import Node, output, span
from ..progress import Progress
from ..tensors import images_from_pictures, pictures_from_images
from ..video import FilmInput, film_from_input

MOST_FIRST = 9_999_999


def first_input(*, advanced: bool = False) -> io.Int.Input:
    return io.Int.Input(
        "first",
        **span(0, 0, MOST_FIRST),
        tooltip="The number of the film's first frame in the file names. Blender and many exporters begin with 1, "
        "plates of film departments with 1001, or with any number that their cut gives them.",
        advanced=advanced,
    )


FOLDERS = AllowedFiles(
    lambda: {name: Path(folder_paths.get_input_directory(), name) for name in folder_paths.get_input_subfolders()},
    lambda name: (
        f"folder must be one inside {folder_paths.get_input_directory()}, got {name}; make it there, put the painted "
        "keyframes into it and press R"
    ),
)


class EscalierSaveKeyframes(Node):
    """Saves keyframes as PNG files whose names end in their frame number, into a new folder of ComfyUI's output folder.
    Paint them in any program and bring them back with Load Keyframes: the number says where each one belongs.
    """

    display_name = "Save Keyframes"
    search_aliases = ("export keyframes", "write keyframes")
    inputs = (
        sockets.Keyframes.Input("keyframes", tooltip="The keyframes to save, painted or not."),
        io.String.Input(
            "folder_prefix",
            default="escalier/keyframes",
            tooltip="Where to save: this name and a number that rises with every run, so that nothing painted is ever "
            "overwritten.",
        ),
        first_input(advanced=True),
    )
    outputs = ()
    is_output_node = True

    @classmethod
    def execute(cls, keyframes: Keyframes, folder_prefix: str, first: int) -> io.NodeOutput:
        output = folder_paths.get_output_directory()
        if not is_plain(folder_prefix.rstrip("/\\")):
            rule = f"be a plain name inside {output}, such as shots/keys"
            raise Refusal("folder_prefix", rule, shown(folder_prefix), "leave out drives, leading slashes and ..")
        parent, name, counter, subfolder, _ = folder_paths.get_save_image_path(folder_prefix, output, *keyframes.size)
        folder = f"{name}_{counter:05}"
        files = write_keyframes(Path(parent, folder), keyframes, first=first, progress=Progress())
        place = os.path.join(subfolder, folder)
        return io.NodeOutput(
            ui=ui.SavedImages([ui.SavedResult(file.name, place, io.FolderType.output) for file in files])
        )


class EscalierLoadKeyframes(Node):
    """Loads painted keyframes from a folder in ComfyUI's input folder. The number in each file name is its frame:
    keyframe_000024.png stands at frame 24. Shows which file stands where, and warns of doubtful names and of paintings
    that fit another frame better.
    """

    display_name = "Load Keyframes"
    search_aliases = ("import keyframes", "painted frames", "image folder", "load images")
    inputs = (
        FOLDERS.menu(
            "folder",
            "A folder inside ComfyUI's input folder that holds the painted pictures and nothing else. Press R to find "
            "a folder that was made just now.",
        ),
        sockets.film_input(
            "The film that the keyframes belong to: they have its size, or are larger and of its shape."
        ),
        first_input(),
    )
    outputs = (output(sockets.Keyframes, "keyframes", "The painted pictures with their places."),)

    @classmethod
    def validate_inputs(cls, folder: str) -> bool | str:
        return FOLDERS.check(folder)

    @classmethod
    def fingerprint_inputs(cls, folder: str, **_: object) -> tuple[tuple[str, int, int], ...]:
        """What changes when a picture is painted over, added or taken away."""
        return FOLDERS.fingerprint(folder)

    @classmethod
    def execute(cls, folder: str, film: FilmInput, first: int) -> io.NodeOutput:
        place = FOLDERS.path(folder)
        source = film_from_input(film)
        listing = list_keyframes(place, source, first=first)
        keyframes = listing.read()
        listing = remark_misplaced(listing, keyframes, source, progress=Progress())
        for doubt in listing.doubts:
            log.warning("Load Keyframes: %s", doubt)
        return io.NodeOutput(keyframes, ui=ui.PreviewText(str(listing)))


class EscalierKeyframesFromImages(Node):
    """Gives a batch of painted pictures their places in the film: picture 1 stands at the first frame number, picture 2
    at the second, and so on.
    """

    display_name = "Set Keyframes from Images"
    search_aliases = ("images to keyframes", "painted frames", "keyframe indices")
    inputs = (
        io.Image.Input("images", tooltip="The painted pictures, in the order of the film, in its size."),
        io.String.Input(
            "indices",
            default="0",
            tooltip="Frame number of each picture, counted from 0, rising: 0, 24, 48. The indices of Choose Keyframes "
            "can be connected here.",
        ),
        sockets.film_input("The film that the pictures belong to: its length is the limit for the indices."),
    )
    outputs = (output(sockets.Keyframes, "keyframes", "The pictures with their places."),)

    @classmethod
    def execute(cls, images: torch.Tensor, indices: str, film: FilmInput) -> io.NodeOutput:
        length = len(film_from_input(film))
        pictures = list(pictures_from_images(images, "images"))
        return io.NodeOutput(Keyframes(parse_indices(indices, length), pictures, length))


class EscalierKeyframesToImages(Node):
    """The pictures of keyframes as an image batch, with their frame numbers as text: to look at them, save them, or
    paint each one by itself.
    """

    display_name = "Get Keyframe Images"
    search_aliases = ("keyframes to images", "unpack keyframes")
    inputs = (sockets.Keyframes.Input("keyframes", tooltip="The keyframes to take apart."),)
    outputs = (
        output(io.Image, "images", "One picture for each keyframe, in the film's order."),
        output(io.String, "indices", "Their frame numbers, counted from 0: 0, 24, 48."),
    )

    @classmethod
    def execute(cls, keyframes: Keyframes) -> io.NodeOutput:
        return io.NodeOutput(images_from_pictures(keyframes.pictures), format_indices(keyframes.indices))
