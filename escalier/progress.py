"""The one callback by which every long function tells how far it has come, and by which it is stopped."""

from collections.abc import Callable

Progress = Callable[..., object]
"""`progress(done, total)` or `progress(done, total, picture)`: how far it is, and what was just made, RGB (H, W, 3).

Numbers are counts or seconds of work, as each function says; the total may change on the way. What it raises passes
through the function, which stops at once and leaves nothing half-written: so a Cancel is heard.
"""
