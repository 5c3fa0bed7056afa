"""Films of the page: how long and how large one is, and any frame of it as a small picture."""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from escalier.film import Film, Size
from escalier.refusals import Refusal

MOST_OPEN = 4
"""Films held open at once. One takes some files and a bounded share of decoded frames."""
MOST_HEIGHT = 2160
JPEG_QUALITY = 88


class _File(NamedTuple):
    path: Path
    bytes: int
    changed: int

    @classmethod
    def at(cls, path: Path) -> "_File":
        stat = path.stat()
        return cls(path, stat.st_size, stat.st_mtime_ns)


class OpenFilms:
    """Films that the page is looking at. What was looked at longest ago is closed; a file that has changed is opened
    anew.
    """

    def __init__(self, most: int = MOST_OPEN) -> None:
        self._most = most
        self._open: OrderedDict[_File, Film] = OrderedDict()
        self._lock = threading.Lock()

    def film(self, path: Path) -> Film:
        """The film of a video file, a picture (a film of one frame) or a folder of pictures."""
        from escalier.film import open_film  # PyAV, which nobody needs to load the pack

        file = _File.at(path)
        with self._lock:
            if file not in self._open:
                self._open[file] = open_film(path)
                while len(self._open) > self._most:
                    self._open.popitem(last=False)
            self._open.move_to_end(file)
            return self._open[file]

    def about(self, path: Path) -> dict[str, Any]:
        """What the page needs before it asks for frames. `version` changes when the file does."""
        film = self.film(path)
        return {
            "frames": len(film),
            "rate": float(film.rate),
            "width": film.size.width,
            "height": film.size.height,
            "version": f"{_File.at(path).changed:x}",
        }

    def jpeg(self, path: Path, index: int, height: int) -> bytes:
        """One frame as JPEG, at most so high (pixels; 0 leaves its size)."""
        film = self.film(path)
        if not 0 <= index < len(film):
            raise Refusal("index", f"be in 0..{len(film) - 1}", index, f"the film has {len(film)} frames")
        if not 0 <= height <= MOST_HEIGHT:
            raise Refusal("height", f"be in 0..{MOST_HEIGHT}", height, "take 0 for the frame's own size")
        return encoded(film.frame(index), height)


def encoded(picture: np.ndarray, height: int) -> bytes:
    """An RGB picture as JPEG, at most so high."""
    small = Size.of(picture)
    if height and height < small.height:
        width = max(1, round(small.width * height / small.height))
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    done, content = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise Refusal("picture", "become a JPEG", f"{small}", "look at a smaller size")
    return content.tobytes()
