"""A small filmed-looking clip made with code, that knows its own motion exactly: for demo, tests and benchmarks."""

from .clip import MovingClip, make_clip

__all__ = ["MovingClip", "make_clip"]
