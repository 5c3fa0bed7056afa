"""Escalier: restyle filmed video from a few painted keyframes, without losing the person in it.

From a clip and painted keyframes to the film, `stylise` goes the whole way:

    import escalier

    film = escalier.stylise("shot.mp4", "painted", "film.mp4", scratch="scratch")
    print(escalier.measure("shot.mp4", film))

What most scripts need stands here; all of it, and the rest, in the rooms:

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
- `escalier.shot`: a long shot as a folder with a plan, made by one machine or by many
- `escalier.comfyui`: ComfyUI without a browser
- `escalier.commands`: the command line

Importing this package loads nothing heavy: numba, OpenCV and PyAV arrive with what is first used of them.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
