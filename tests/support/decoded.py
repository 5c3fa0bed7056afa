"""How many frames come out of the decoder of video files, whatever is asked of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from escalier.film import video, video_reader


@contextmanager
def decodes() -> Iterator[dict[str, int]]:
    """Counts the frames decoded from each file, by its name. Next to none is kept, so that a second look shows."""
    found: dict[str, int] = {}
    decode = video_reader.decode_onwards

    def counted(container, stream):
        name = Path(container.name).name
        for frame in decode(container, stream):
            found[name] = found.get(name, 0) + 1
            yield frame

    with patch.object(video_reader, "decode_onwards", counted), patch.object(video, "CACHE_BYTES", 0):
        yield found
