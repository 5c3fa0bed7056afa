"""What a film socket holds, as a film of the library; and a film of the library as VIDEO. Neither copies the clip."""

import hashlib
import io
import json
import os
import shutil
import threading
import uuid
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
import torch
from comfy_api.v0_0_2 import Input, InputImpl, Types

from escalier.film import ArrayFrames, Film, FilmedClip, Footage, read_sound_samples
from escalier.refusals import Refusal

from .progress import Progress
from .scratch import lasting_folder, scratch_folder
from .tensors import pictures_from_images, write_image

LOSSLESS_CRF = 0  # of H.264 at 8 bits, for clips that ComfyUI must write before they can be read
BETWEEN_NODES_CRF = 10  # of a restyled film that other nodes read as a file: its losses cannot be seen


FilmInput: TypeAlias = torch.Tensor | Input.Video
"""What a film socket holds."""


class FilmVideo(Input.Video):
    """A film as VIDEO. Its frames are made while it is saved; nothing is computed before somebody asks for them.

    Sound, timestamps, rate and colour tags come from the filmed clip that it was made from.
    """

    def __init__(self, film: Film, clip: Film | None = None) -> None:
        self.film = film
        self.clip = clip
        self._file: str | None = None
        self._file_lock = threading.Lock()

    def get_components(self) -> Types.VideoComponents:
        """Every frame as float32: the one call that holds the whole film in memory."""
        width, height = self.film.size
        images = np.empty((len(self.film), height, width, 3), np.float32)
        progress = Progress(previews=False)  # the node that asks is not the one that makes the pictures
        for index, image in enumerate(images):
            frame = self.film.frame(index)
            write_image(image, frame)
            progress(index + 1, len(images), frame)
        return Types.VideoComponents(
            images=torch.from_numpy(images), audio=sound_of(self.clip), frame_rate=self.get_frame_rate()
        )

    def save_to(
        self,
        path: str | os.PathLike | io.BytesIO,
        format: Types.VideoContainer = Types.VideoContainer.AUTO,
        codec: Types.VideoCodec = Types.VideoCodec.AUTO,
        metadata: dict | None = None,
        bit_depth: int | None = None,
        crf: float | None = None,
        **newer: str | None,
    ) -> None:
        """Write the film as H.264 in MP4, frame by frame. Newer ComfyUIs also give a `color_space` and a `preset`."""
        _refuse("format", getattr(format, "value", format), ("auto", "mp4"))
        _refuse("codec", getattr(codec, "value", codec), ("auto", "h264"))
        _refuse("bit depth", bit_depth, (None, 8))
        _refuse("colour space", newer.get("color_space"), (None, "auto", "sRGB"))
        if isinstance(path, io.BytesIO):
            with scratch_folder("save") as folder:
                self._write(folder / "film.mp4", metadata, crf)
                path.write((folder / "film.mp4").read_bytes())
                shutil.rmtree(folder)
        else:
            self._write(Path(path), metadata, crf)

    def as_trimmed(
        self, start_time: float | None = None, duration: float | None = None, strict_duration: bool = False
    ) -> Input.Video | None:
        return InputImpl.VideoFromFile(self.get_stream_source()).as_trimmed(
            start_time or 0, duration or 0, strict_duration=strict_duration
        )

    def get_stream_source(self) -> str:
        """A file of the film, for nodes that read files; written when it is first asked for."""
        with self._file_lock:
            if self._file is None or not os.path.exists(self._file):
                path = lasting_folder("films") / f"{uuid.uuid4().hex}.mp4"
                self._write(path, None, BETWEEN_NODES_CRF)
                self._file = str(path)
            return self._file

    def get_dimensions(self) -> tuple[int, int]:
        return self.film.size.width, self.film.size.height

    def get_frame_count(self) -> int:
        return len(self.film)

    def get_frame_rate(self) -> Fraction:
        return (self.clip or self.film).rate

    def get_duration(self) -> float:
        return float(len(self.film) / self.get_frame_rate())

    def get_container_format(self) -> str:
        return "mp4"

    def _write(self, path: Path, metadata: dict | None, crf: float | None) -> None:
        from escalier.film import Encoding, write_film

        tags = {key: value if isinstance(value, str) else json.dumps(value) for key, value in (metadata or {}).items()}
        # Save Video runs this. The page shows a preview of a node in place of its outcome: the film would never play.
        encoding = Encoding(crf=crf, metadata=tags)
        write_film(path, self.film, like=self.clip, encoding=encoding, progress=Progress(previews=False))


def sound_of(clip: Film | None) -> Input.Audio | None:
    """The first sound track of a filmed clip as AUDIO, beginning and ending with its pictures; None without one."""
    sound = read_sound_samples(clip) if isinstance(clip, FilmedClip) else None
    return sound and {"waveform": torch.from_numpy(sound[0])[None], "sample_rate": sound[1]}


def film_from_input(film: FilmInput, name: str = "film") -> Film:
    """The film behind a film socket. A VIDEO is read as its frames are asked for, an IMAGE batch where it lies.

    A refusal calls it by `name`, the socket's.
    """
    return film.film if isinstance(film, FilmVideo) else footage_from_input(film, name)


def footage_from_input(film: FilmInput, name: str = "film") -> Film:
    """The same for nodes that look at every frame more than once: in 8 bits, and decoded once for all of them.

    An IMAGE batch lies in memory and is taken as it is.
    """
    if isinstance(film, torch.Tensor):
        return ArrayFrames(pictures_from_images(film, name))
    if isinstance(film, InputImpl.VideoFromComponents):
        return ArrayFrames(pictures_from_images(film.get_components().images, name), film.get_frame_rate())
    return _footage(film)


def clip_from_input(film: FilmInput) -> Film:
    """The same film with all that a saved film takes over from its clip: sound, timestamps, colour tags."""
    if isinstance(film, FilmVideo):
        return film.clip or film.film
    if isinstance(film, InputImpl.VideoFromComponents) and film.get_components().audio:
        return _video_frames(film)
    source = footage_from_input(film)
    return source.film if isinstance(source, Footage) else source


_known: WeakKeyDictionary[Input.Video, Footage] = WeakKeyDictionary()
"""ComfyUI hands one VIDEO to every node that it is connected to, and forgets it when no node needs it any more."""
_known_lock = threading.Lock()


def _footage(video: Input.Video) -> Footage:
    with _known_lock:
        if video not in _known:
            source = video.film if isinstance(video, FilmVideo) else _video_frames(video)
            _known[video] = Footage(source, lasting_folder("films"))
        return _known[video]


def _video_frames(video: Input.Video) -> Film:
    """The file behind a VIDEO, or the part of it that a trim leaves: cut here, frame by frame, from the file itself."""
    from escalier.film import FilmPart, VideoFrames

    # Newer ComfyUIs can also crop and scale a video before its file is written; that is left to them.
    edited = getattr(video, "has_pending_frame_edits", lambda: False)()
    if not isinstance(video, InputImpl.VideoFromFile) or edited:
        return VideoFrames(_written(video))
    clip = VideoFrames(_file_of(video))
    start, seconds = video.get_active_trim_window()
    return FilmPart(clip, start, seconds) if start or seconds else clip


def _file_of(video: Input.Video) -> Path:
    """The file of a VIDEO, whole; one that is held in memory is laid on disk as it is."""
    source = video.get_stream_source()
    if isinstance(source, (str, os.PathLike)):
        return Path(source)
    content = source.getvalue()
    path = lasting_folder("films") / f"{hashlib.sha256(content).hexdigest()[:32]}.film"
    if not path.exists():
        draft = path.with_name(f".{uuid.uuid4().hex}.film")
        draft.write_bytes(content)
        os.replace(draft, path)
    return path


def _written(video: Input.Video) -> Path:
    """A file that ComfyUI writes of a VIDEO that has none: pictures in memory with sound, a crop, a scale."""
    width, height = video.get_dimensions()
    if width % 2 or height % 2:
        raise Refusal(
            "film", "have even sides to be written as a VIDEO", f"{width}x{height}", "connect its pictures (IMAGE)"
        )
    path = lasting_folder("films") / f"{uuid.uuid4().hex}.mp4"
    draft = path.with_name(f".{path.name}")
    try:
        video.save_to(str(draft), crf=LOSSLESS_CRF)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def _refuse(what: str, value: object, allowed: tuple) -> None:
    if value not in allowed:
        known = " or ".join(str(one) for one in allowed if one is not None)
        raise Refusal(f"{what} of the saved film", f"be {known}", value, f"choose {allowed[-1]}")
