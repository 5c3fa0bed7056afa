"""Escalier: restyle filmed video from a few painted keyframes, without losing the person in it.

The rooms, each importable on its own:

- `escalier.film`: frames, video files, how the film moves
- `escalier.keyframes`: choosing keyframes, laying them on grid sheets
- `escalier.pyebsynth`: guided patch synthesis, one picture in, one picture out
- `escalier.propagation`: carrying a keyframe through the film, fading neighbouring runs into a staircase
- `escalier.coherence`: the figures that judge a film
- `escalier.headless`: ComfyUI without a browser, and the command line

Importing this package loads nothing heavy: numba, OpenCV and PyAV arrive with the room that needs them.
"""

__version__ = "0.1.0"
