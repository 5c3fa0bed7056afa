"""Films whose size changes on the way, found before any work is done."""

from pathlib import Path

import av

from .pictures import Size
from .video_file import UnreadableVideo, decode_onwards, open_video

# Codecs that state their size in parameter sets: the type of that unit, and where the type stands in its first byte.
_PARAMETER_SETS = {"h264": (7, 0, 31), "hevc": (33, 1, 63)}
_SAMPLED = 8  # key frames of other codecs that are looked at


class SizeWatch:
    """Sees the key packets of a stream go by and keeps those at which its size may change."""

    def __init__(self, stream: av.VideoStream) -> None:
        context = stream.codec_context
        self._codec = context.codec.canonical_name
        self._header = bytes(context.extradata or b"")
        self._known: set[bytes] = set()
        self.keys: list[int | None] = []
        self.suspect = self._codec not in _PARAMETER_SETS

    def see(self, packet: av.Packet) -> None:
        """Take note of a key packet."""
        self.keys.append(packet.pts)
        if packet.has_sidedata("new_extradata"):
            self.suspect = True
        if self._codec in _PARAMETER_SETS and not self.suspect:
            stated = parameter_sets(bytes(memoryview(packet)[:4096]), *_PARAMETER_SETS[self._codec])
            new = {one for one in stated if one not in self._header} - self._known
            self.suspect = bool(new) and (bool(self._known) or len(self.keys) > 1)
            self._known |= new

    def watched(self) -> list[int]:
        """Timestamps of the key frames whose size must be looked at."""
        keys = [key for key in self.keys if key is not None]
        if not self.suspect or len(keys) < 2:
            return []
        if self._codec in _PARAMETER_SETS or len(keys) <= _SAMPLED:
            return keys[1:]
        return [keys[round(i * (len(keys) - 1) / _SAMPLED)] for i in range(1, _SAMPLED + 1)]


def parameter_sets(data: bytes, kind: int, shift: int, mask: int) -> list[bytes]:
    """The units of one kind at the head of an H.264 or H.265 packet, length first (4 bytes) or after start codes.

    >>> parameter_sets(bytes([0, 0, 0, 3, 0x67, 1, 2, 0, 0, 0, 2, 0x65, 9]), 7, 0, 31)
    [b'g\\x01\\x02']
    """
    found, place = [], 0
    if data[:3] == b"\0\0\1" or (data[:4] == b"\0\0\0\1" and len(data) > 5):
        units = data.split(b"\0\0\1")
        return [unit.rstrip(b"\0") for unit in units[1:] if unit and (unit[0] >> shift) & mask == kind]
    while place + 4 < len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        unit = data[place + 4 : place + 4 + length]
        if not unit or length > len(data):
            break
        if (unit[0] >> shift) & mask == kind:
            found.append(unit)
        place += 4 + length
    return found


def refuse_size_changes(path: Path, watch: SizeWatch, stamps: list[int]) -> None:
    """Decode the key frames at which the size may change, and refuse a film in which it does.

    stamps are the timestamps of all frames in the order in which they are shown.
    """
    watched = watch.watched()
    if not watched:
        return
    container, stream = open_video(path)
    with container:
        size = None
        for stamp in [min(stamps), *watched]:
            container.seek(stamp, stream=stream, backward=True)
            frame = next(decode_onwards(container, stream), None)
            if frame is None:
                continue
            now = Size(frame.width, frame.height)
            size = size or now
            if now != size:
                raise size_refusal(path, size, now, sum(one < stamp for one in stamps))


def size_refusal(path: Path, size: Size, now: Size, frame: int) -> UnreadableVideo:
    """The refusal of a film whose frames are not of one size."""
    rule, got = f"be {size}, the size of the first", f"{now} from frame {frame}"
    remedy = "cut the clip there, or export it at one size"
    return UnreadableVideo(f"every frame of {path.name}", rule, got, remedy, who="VideoFrames")
