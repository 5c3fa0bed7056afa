"""What the child process runs: ComfyUI's own main.py, until its standard input closes.

The parent holds the other end of that pipe. When the parent stops the server, ends, crashes or is killed, the pipe
closes, on every system alike, and this process leaves; so no server outlives the command that started it.
"""

import _thread
import contextlib
import os
import runpy
import signal
import sys
import threading
import time

GRACE_SECONDS = 5.0


def leave_with_parent() -> None:
    """Wait on standard input in a thread; when it ends, interrupt the main thread, then end the process anyway."""
    parent = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)  # nodes that start ffmpeg must not read the parent's pipe
    os.close(nothing)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    def watch() -> None:
        while os.read(parent, 1):
            pass
        if os.name == "nt":
            _thread.interrupt_main()
        else:
            # To the main thread itself: a signal that lands in another thread would not wake its event loop.
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        time.sleep(GRACE_SECONDS)
        os._exit(1)

    if os.name != "nt":
        signal.signal(signal.SIGTERM, interrupt)
    threading.Thread(target=watch, daemon=True, name="escalier-parent").start()


def main() -> None:
    script = os.path.abspath(sys.argv[1])
    sys.argv = [script, *sys.argv[2:]]
    # Python put this file's folder first on the path, where our server.py would hide ComfyUI's.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [os.path.dirname(script), *(entry for entry in sys.path if os.path.abspath(entry) != here)]
    leave_with_parent()
    with contextlib.suppress(KeyboardInterrupt):
        runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main()
