"""The colours of a video file: what its tags say the numbers mean."""

from typing import NamedTuple

import av

from escalier.refusals import Refusal

# Code points of ITU-T H.273, as every container and codec writes them.
RGB, BT709, UNSPECIFIED, BT470BG, BT601, SMPTE240M, BT2020 = 0, 1, 2, 5, 6, 7, 9
PQ, HLG = 16, 18
_KNOWN_MATRIX = (BT709, 4, BT470BG, BT601, SMPTE240M, BT2020)
# Grey without a word about its range: in films it is limited as their luma is, elsewhere it is that of a picture.
_LIMITED_GREY = ("h264", "hevc", "av1", "vp9")
_UNREADABLE_MATRIX = {8: "YCgCo", 10: "BT.2020 constant luminance", 14: "ICtCp (Dolby Vision profile 5)"}


class Colour(NamedTuple):
    """What the numbers of a picture mean: ITU-T H.273 codes for matrix, primaries and transfer, and the range.

    >>> Colour(matrix=BT709, primaries=BT709, transfer=BT709, full_range=False) == SDR
    True
    """

    matrix: int
    primaries: int
    transfer: int
    full_range: bool

    @property
    def hdr(self) -> bool:
        return self.transfer in (PQ, HLG)


SDR = Colour(BT709, BT709, BT709, False)


def read_colour(context: av.VideoCodecContext) -> Colour:
    """The colour tags of an open stream; an unnamed matrix is guessed from the primaries, then from the size.

    The guess is the one players make: BT.709 from 1280x720 on, BT.601 below.
    """
    matrix = int(context.colorspace)
    if matrix in _UNREADABLE_MATRIX:
        rule, remedy = "be BT.601, BT.709 or BT.2020", "export the clip as ordinary (BT.709) H.264 first"
        raise Refusal("the colour matrix", rule, _UNREADABLE_MATRIX[matrix], remedy, who="read_colour")
    primaries, transfer = int(context.color_primaries), int(context.color_trc)
    if matrix not in _KNOWN_MATRIX and (matrix != RGB or str(context.pix_fmt).startswith("yuv")):
        large = context.width >= 1280 or context.height >= 720
        by_primaries = {BT709: BT709, BT2020: BT2020, BT470BG: BT601, BT601: BT601}
        matrix = by_primaries.get(primaries, BT709 if large else BT601)
    full_range = int(context.color_range) == 2 or str(context.pix_fmt).startswith("yuvj")
    if str(context.pix_fmt).startswith("gray") and int(context.color_range) == 0:
        full_range = context.codec.canonical_name not in _LIMITED_GREY
    return Colour(matrix, primaries, transfer, full_range)
