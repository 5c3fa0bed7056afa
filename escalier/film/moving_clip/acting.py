"""How the moving clip moves: the path of the man, the joints of his body, the curtain, the sway of the camera."""

from fractions import Fraction

import numpy as np

from escalier.film.pictures import Size

from .person import NECK, SHOULDERS, UPPER_ARM
from .room import ROOM_ASPECT, WINDOW, View

CURTAIN_FRAMES = 6  # from closed to open


class Acting:
    """Where every layer of the clip is in each frame: maps from a layer's own units to frame pixels."""

    def __init__(
        self, size: Size, length: int, rate: Fraction, *, seed: int, drift: float, uncover_at: int | None
    ) -> None:
        self._size, self._length, self._rate, self._drift = size, length, float(rate), drift
        self._uncover_at = uncover_at
        self.unit = min(size.height, 0.80 * size.width)  # one unit of the person in frame pixels
        width = size.width / size.height
        spare = ROOM_ASPECT - width
        narrow = 0.0 if uncover_at is not None else 0.30 * spare  # a narrow frame must not lose the window with a face
        self.view = View(narrow if spare > 0 else spare / 2, width)
        self._phases = np.random.default_rng(seed).random((4, 3)) * 2 * np.pi

    def poses(self, index: float) -> dict[str, np.ndarray]:
        """For each layer by name the 3x3 map from its units to the pixels of frame `index`."""
        seconds = index / self._rate
        camera = self._camera(seconds)
        room = camera @ _shift(-0.5, -0.5) @ _scale(self._size.height) @ _shift(-self.view.left, 0)
        poses = {"set": room, "curtain": room @ self._curtain(index)}
        body = camera @ _shift(-0.5, -0.5) @ self._body(index, seconds)
        swing = np.sin(2 * np.pi * 0.95 * seconds)
        path = self._path(index)
        poses["torso"] = body
        poses["head"] = (
            body
            @ _shift(*NECK)
            @ _turn(9 * np.sin(2.1 * seconds + 0.6) - 5 + 9 * path)
            @ _scale(1 - 0.05 * np.sin(1.7 * seconds) ** 2, 1)
        )
        poses["loose hair"] = poses["head"]
        wave = np.exp(-(((path - 0.55) / 0.30) ** 2))  # in the middle of his way he lifts a hand
        beckon = 9 * np.sin(2 * np.pi * 1.2 * seconds)
        bends = {
            "left": (9 + 13 * swing, -14 - 8 * swing),
            "right": (-9 - 13 * swing - 78 * wave, -22 - 50 * wave + beckon * wave),
        }
        for (side, (shoulder, elbow)), joint in zip(bends.items(), SHOULDERS, strict=True):
            mirror = _scale(-1 if side == "right" else 1, 1)
            upper = body @ _shift(*joint) @ _turn(shoulder)
            poses[f"{side} upper arm"] = upper @ mirror
            poses[f"{side} forearm"] = upper @ _shift(0, UPPER_ARM) @ _turn(elbow) @ mirror
        return poses

    def _path(self, index: float) -> float:
        """How far he is on his way, 0..1, gathering speed and slowing down a little."""
        way = index / max(self._length - 1, 1)
        return 0.6 * way + 0.4 * way * way * (3 - 2 * way)

    def _body(self, index: float, seconds: float) -> np.ndarray:
        """From the person's units to frame pixels: his way across, his gait, his turn and his coming nearer."""
        path, step = self._path(index), 2 * np.pi * 0.95 * seconds
        width, height = self._size
        near = 0.93 + 0.15 * path
        low = height + self.unit * (-0.04 - 0.22 * min(1.0, 2 * (1 - self.unit / height)))
        across = (0.335 + 0.36 * path) * width + 0.008 * self.unit * np.sin(step)
        down = low - 0.012 * self.unit * abs(np.sin(step)) + 0.05 * self.unit * path
        lean = -7 + 14 * path + 2.2 * np.sin(step)
        turn = 1 - 0.10 * np.sin(np.pi * path) ** 2  # he turns a little away: narrower across
        return _shift(across, down) @ _scale(self.unit * near) @ _turn(lean) @ _scale(turn, 1)

    def _camera(self, seconds: float) -> np.ndarray:
        """The sway of a hand-held camera about the middle of the frame, in pixels."""

        def sway(which: int) -> float:
            a, b, c = self._phases[which]
            return float(
                0.55 * np.sin(1.9 * seconds + a) + 0.30 * np.sin(4.3 * seconds + b) + 0.15 * np.sin(9.7 * seconds + c)
            )

        width, height = self._size
        reach = 0.011 * min(width, height) * self._drift
        middle = ((width - 1) / 2, (height - 1) / 2)
        turned = _turn(0.35 * self._drift * sway(2)) @ _scale(1 + 0.005 * self._drift * sway(3))
        return (
            _shift(middle[0] + reach * sway(0), middle[1] + reach * sway(1)) @ turned @ _shift(-middle[0], -middle[1])
        )

    def _curtain(self, index: float) -> np.ndarray:
        """The curtain is drawn to the left from frame `uncover_at` on."""
        if self._uncover_at is None or index < self._uncover_at:
            return np.eye(3)
        done = min((index - self._uncover_at + 1) / CURTAIN_FRAMES, 1.0)
        left = WINDOW[0] - 0.05
        return _shift(left, 0) @ _scale(1 - 0.80 * (1 - (1 - done) ** 2), 1) @ _shift(-left, 0)


def _shift(x: float, y: float) -> np.ndarray:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)


def _scale(x: float, y: float | None = None) -> np.ndarray:
    return np.diag([x, x if y is None else y, 1.0])


def _turn(degrees: float) -> np.ndarray:
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]], np.float64)
