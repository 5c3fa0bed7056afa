"""Escalier: restyle filmed video from a few painted keyframes, without losing the person in it.

The rooms, each importable on its own:

- `escalier.film`: frames, video files and picture sequences, how the film moves
- `escalier.keyframes`: choosing keyframes, reading them painted, laying them on grid sheets
- `escalier.mask`: masks made, refined and followed through the film
- `escalier.pyebsynth`: guided patch synthesis, one picture in, one picture out
- `escalier.propagation`: carrying a keyframe through the film, fading neighbouring runs into a staircase
- `escalier.composite`: seamless blending, layers, clean plates
- `escalier.coherence`: the figures that judge a film, and where one more keyframe would help
- `escalier.diffusion`: control maps and pipelines that paint keyframes
- `escalier.headless`: the command line, and ComfyUI without a browser

Importing this package loads nothing heavy: numba, OpenCV and PyAV arrive with the room that needs them.
"""

__version__ = "0.1.0"
