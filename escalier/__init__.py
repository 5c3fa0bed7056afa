"""Escalier: restyle filmed video from a few painted keyframes, without losing the person in it.

The rooms, each importable on its own:

- `escalier.scratch`: files that appear whole, are verified when opened, and are shared by jobs that run at a time
- `escalier.film`: frames, video files and picture sequences, how the film moves
- `escalier.keyframes`: choosing keyframes, reading them painted, laying them on grid sheets
- `escalier.mask`: mattes, masks from colours or an empty room, and their edges
- `escalier.sam`: Segment Anything, the masks of objects that are pointed at
- `escalier.tracking`: masks followed through the film
- `escalier.pyebsynth`: guided patch synthesis, one picture in, one picture out
- `escalier.propagation`: carrying a keyframe through the film, fading neighbouring runs into a staircase
- `escalier.composite`: seamless blending, layers, clean plates
- `escalier.coherence`: the figures that judge a film, and where one more keyframe would help
- `escalier.boiling`: line boil, and the dial from a film that holds still to one redrawn on every frame
- `escalier.diffusion`: control maps and pipelines that paint keyframes
- `escalier.comfyui`: ComfyUI without a browser
- `escalier.commands`: the command line

Importing this package loads nothing heavy: numba, OpenCV and PyAV arrive with the room that needs them.
"""

__version__ = "0.1.0"
