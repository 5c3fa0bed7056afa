"""One place in an open video file, going forward from key frames, with the frames it has just passed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .video_index import UnreadableVideo, VideoIndex, decode_onwards, open_video

if TYPE_CHECKING:
    import av


class Reader:
    """One place in an open file, going forward, with the frames it passed last; `next` is the one it comes to next."""

    def __init__(self, path: Path, index: VideoIndex, cache_bytes: int) -> None:
        self.path, self.index = path, index
        self.recent: OrderedDict[int, av.VideoFrame] = OrderedDict()
        self.next = len(index.times)
        self.used = False
        self._cache_bytes = cache_bytes
        self._frames: Iterator[tuple[int, av.VideoFrame]] | None = None
        self._open()

    def _open(self) -> None:
        self.container, self.stream = open_video(self.path)
        self._fresh, self._closed = True, False

    def close(self) -> None:
        self.container.close()
        self.recent.clear()
        self._frames, self.next = None, len(self.index.times)
        self._closed = True

    def first_decodable(self) -> int:
        """How many frames cannot be shown since their key frame is missing: the rest of a film that was cut there."""
        if self.index.by_count:
            return 0
        for frame in decode_onwards(self.container, self.stream):
            place = self.index.frame_at(frame.pts)
            if place is not None:
                self._fresh = False
                return place if place == self.index.loose else 0
        raise UnreadableVideo(
            f"VideoFrames: {self.path.name} must hold a frame that can be decoded, got none in "
            f"{len(self.index.times)}; export the clip again"
        )

    def read(self, wanted: int) -> av.VideoFrame | None:
        """Decode up to a frame; None where it is damaged or missing even when decoding starts well before it."""
        self.used = True
        if self._frames is not None and self.index.keys[self.index.key_before(wanted)] <= self.next <= wanted:
            frame = self._forward(wanted)
            if frame is not None:
                return frame
        nearest = self.index.key_before(wanted)
        # Some key frames need a little of what came before them: start one earlier, then at the beginning.
        for key in dict.fromkeys((nearest, max(nearest - 1, 0), 0)):
            self._seek(key)
            frame = self._forward(wanted)
            if frame is not None:
                return frame
        return None

    def _forward(self, wanted: int) -> av.VideoFrame | None:
        for place, frame in self._frames or ():
            self.next = place + 1
            if not frame.is_corrupt:
                self._keep(place, frame)
            if place >= wanted:
                return frame if place == wanted and not frame.is_corrupt else None
        self._frames, self.next = None, len(self.index.times)
        return None

    def _seek(self, key: int) -> None:
        if self._closed or self.index.by_count:
            self.container.close()
            self._open()
        if key > 0 or not self._fresh:
            self.container.seek(self.index.seek_ticks[key], stream=self.stream, backward=True)
        self._fresh = False
        self.next = self.index.keys[key]
        self._frames = self._numbered()

    def _numbered(self) -> Iterator[tuple[int, av.VideoFrame]]:
        for count, frame in enumerate(decode_onwards(self.container, self.stream)):
            place = count if self.index.by_count else self.index.frame_at(frame.pts)
            if place is not None:
                yield place, frame

    def _keep(self, place: int, frame: av.VideoFrame) -> None:
        self.recent[place] = frame
        self.recent.move_to_end(place)
        room = max(self._cache_bytes // max(sum(plane.buffer_size for plane in frame.planes), 1), 3)
        while len(self.recent) > room:
            self.recent.popitem(last=False)
