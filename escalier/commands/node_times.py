"""How long a job of ComfyUI's nodes will still take: by the running node's own progress, where that tells it."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping

# What a node takes, as a share of the job's longest one. Whatever is not listed may itself be the longest.
LIGHT = 0.002
BESIDE = 0.1
WEIGHTS = (
    (
        re.compile(
            "Load|.*Loader|Preview|Mask(Preview|To)|Empty|Primitive|CLIP(Text|SetLast)|Conditioning|Set|Control(Net)?Apply|"
            "Create|Get|Image(To|From|Batch|Scale|Quantize|Invert)|Repeat|Latent(Batch|From)|Differential|Note|"
            "Escalier(Load|Choose|Plan|Tile|Split|Check|Keyframes|Save|Vary|Pick|Restore|Shared|Grid)"
        ),
        LIGHT,
    ),
    (re.compile("Save|VAE|Escalier(Staircase|MaskEdge|Blend|LineBoil|ColourId)"), BESIDE),
)
LEAST_SECONDS = 10.0
"""Before a node has run so long, its pace says little: caches fill, code is compiled, the first picture is late."""
LEAST_SHARE = 0.01
AGREEING = 2.0
"""The pace of the later half and that of the last quarter must not differ by more; else the work has just changed."""
SAMPLES = 400


def weight_of(class_type: str) -> float:
    """What a node of a type takes, as a share of the job's longest node.

    >>> weight_of("LoadVideo"), weight_of("SaveVideo"), weight_of("EscalierPropagate"), weight_of("KSampler")
    (0.002, 0.1, 1.0, 1.0)
    """
    return next((weight for pattern, weight in WEIGHTS if pattern.match(class_type)), 1.0)


class NodeTimes:
    """What nodes have taken, and what is left of the job; every time is in seconds of one clock.

    >>> times = NodeTimes({"1": "EscalierPropagate", "2": "EscalierStaircase"})
    >>> times.enter("1", 0.0)
    >>> for second in range(1, 41):
    ...     times.tell("1", second / 100, float(second))
    >>> round(times.left(40.0, waiting=["2"]))
    70
    """

    def __init__(self, class_types: Mapping[str, str]) -> None:
        self._types = dict(class_types)
        self._taken: dict[str, float] = {}  # by type, the longest
        self._node: str | None = None
        self._pace = _Pace(0.0)

    def enter(self, node: str, now: float) -> None:
        """A node begins to run; the one before has ended."""
        if self._node is not None:
            class_type = self._types.get(self._node, "")
            self._taken[class_type] = max(self._taken.get(class_type, 0.0), self._pace.gone(now))
        self._node, self._pace = node, _Pace(now)

    def tell(self, node: str, share: float, now: float) -> None:
        """The running node has come so far."""
        if node == self._node:
            self._pace.tell(share, now)

    def left(self, now: float, waiting: Iterable[str]) -> float | None:
        """Seconds until the job is done, None while nobody can tell: `waiting` are the nodes that have not begun."""
        if self._node is None:
            return None
        left = self._pace.left(now)
        if left is None:
            return None
        running = self._types.get(self._node, "")
        known = dict(self._taken)
        known[running] = max(known.get(running, 0.0), self._pace.gone(now) + left)
        longest = max(known.values())
        for node in waiting:
            class_type = self._types.get(node, "")
            weight = weight_of(class_type)
            if class_type in known:
                left += known[class_type]
            elif weight < 1.0:
                left += weight * longest
            else:
                return None
        return left


class _Pace:
    """How fast one node goes on, by what it has told; a bar that starts anew is a new piece of work."""

    def __init__(self, began: float) -> None:
        self._began = began
        self._times, self._shares = [began], [0.0]

    def gone(self, now: float) -> float:
        return now - self._began

    def tell(self, share: float, now: float) -> None:
        if share < self._shares[-1]:
            self._times, self._shares = [now], [share]
        elif share > self._shares[-1]:
            self._times.append(now)
            self._shares.append(share)
        if len(self._times) > SAMPLES:
            self._times, self._shares = self._times[::2], self._shares[::2]

    def left(self, now: float) -> float | None:
        rest = 1.0 - self._shares[-1]
        half, quarter = self._slowness(now, 0.5), self._slowness(now, 0.25)
        if now - self._times[0] < LEAST_SECONDS or half is None or quarter is None:
            return None
        if max(half, quarter) > AGREEING * min(half, quarter):
            return None
        return rest * half

    def _slowness(self, now: float, part: float) -> float | None:
        """Seconds that the whole bar would take, at the pace of the last part of the time."""
        since = bisect_left(self._times, now - part * (now - self._times[0]))
        since = max(0, since - 1)
        done = self._shares[-1] - self._shares[since]
        return (now - self._times[since]) / done if done >= LEAST_SHARE * part else None
