"""One place in an open video file, going forward from key frames, with the frames it has just passed."""

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

import av

from .video_file import UnreadableVideo, decode_onwards, frame_digest, open_video
from .video_index import VideoIndex


class Reader:
    """One place in an open file, going forward, with the frames it passed last; `next` is the one it comes to next."""

    def __init__(self, path: Path, index: VideoIndex, cache_bytes: int) -> None:
        self.path = path
        self.follow(index)
        self.recent: OrderedDict[int, av.VideoFrame] = OrderedDict()
        self.next = len(index.times)
        self.used = False
        self._cache_bytes = cache_bytes
        self._frames: Iterator[tuple[int, av.VideoFrame]] | None = None
        self._open()

    def follow(self, index: VideoIndex) -> None:
        """Tell frames apart by this index from now on."""
        self.index = index
        self._places: dict[int | None, list[int]] = {}
        for place, stamp in enumerate(index.stamps):
            self._places.setdefault(stamp, []).append(place)

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
        if self.index.digests is not None:  # a straight decode has left them out
            return 0
        for frame in decode_onwards(self.container, self.stream):
            place = self._place_of(frame.pts, -1)
            if place is not None:
                self._fresh = False
                return place if place == self.index.loose else 0
        rule, got = "hold a frame that can be decoded", f"none in {len(self.index.times)}"
        raise UnreadableVideo(self.path.name, rule, got, "export the clip again")

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
            if self._seek(key):
                frame = self._forward(wanted)
                if frame is not None:
                    return frame
        return None

    def _forward(self, wanted: int) -> av.VideoFrame | None:
        for place, frame in self._frames or ():
            self.next = place + 1
            good = self._good(place, frame)
            if good:
                self._keep(place, frame)
            if place >= wanted:
                return frame if place == wanted and good else None
        self._frames, self.next = None, len(self.index.times)
        return None

    def _good(self, place: int, frame: av.VideoFrame) -> bool:
        """Whether a frame is whole, and the one that a straight decode gave."""
        if frame.is_corrupt:
            return False
        digests = self.index.digests
        return digests is None or self.index.by_count or frame_digest(frame) == digests[place]

    def _seek(self, key: int) -> bool:
        """Go to a key frame; False where the file cannot do that."""
        if self._closed or self.index.by_count:
            self.container.close()
            self._open()
        self._frames, self.next = None, len(self.index.times)
        if key > 0 or not self._fresh:
            try:
                self.container.seek(self.index.seek_ticks[key], stream=self.stream, backward=True)
            except av.FFmpegError:
                return False
        self._fresh = False
        self.next = self.index.keys[key]
        self._frames = self._numbered()
        return True

    def _numbered(self) -> Iterator[tuple[int, av.VideoFrame]]:
        last = -1
        for frame in decode_onwards(self.container, self.stream):
            if self.index.by_count:
                if last < 0 and frame.is_corrupt:  # what lacks its key frame was left out of the index
                    continue
                place: int | None = last + 1 if last + 1 < len(self.index.times) else None
            else:
                place = self._place_of(frame.pts, last)
            if place is not None:
                last = place
                yield place, frame

    def _place_of(self, stamp: int | None, last: int) -> int | None:
        """Which frame bears this timestamp; of several the next one. None for a frame that is never shown."""
        if stamp is None:
            return None
        places = self._places.get(stamp, ())
        return next((place for place in places if place > last), places[-1] if places else None)

    def _keep(self, place: int, frame: av.VideoFrame) -> None:
        self.recent[place] = frame
        self.recent.move_to_end(place)
        room = max(self._cache_bytes // max(sum(plane.buffer_size for plane in frame.planes), 1), 3)
        while len(self.recent) > room:
            self.recent.popitem(last=False)
