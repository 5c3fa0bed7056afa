"""Motion fidelity: whether the restyled film moves as the source does.

It sees texture that stays behind or is dragged along, and drawing that wanders. It cannot see flicker that keeps every
form in its place, and a flat area has no motion that could be seen.
"""

from escalier.arguments import Flow, Region, check_same_size, checked

from .compared_frames import lengths, mean_over


@checked
def motion_error(source_flow: Flow, restyled_flow: Flow, counted: Region) -> float | None:
    """The mean distance in px between the motion of a restyled film and that of its source; None without a pixel.

    mean over the counted pixels of |flow of the restyled film - flow of the source|: tOF of Chu et al., "Learning
    Temporal Coherence via Self-Supervision for GAN-based Video Generation" (TecoGAN, 2020), with DIS in place of
    Farneback's flow. A film held against itself has exactly 0.

    Parameters
    ----------
    source_flow, restyled_flow
        float32 (H, W, 2) in px, between the same two frames; `Motion.match` makes both alike.
    counted
        bool (H, W), `Motion.valid`.

    >>> still = np.zeros((4, 4, 2), np.float32)
    >>> motion_error(still, still + np.float32((3, 4)), np.ones((4, 4), bool))
    5.0
    """
    check_same_size(source_flow=source_flow, restyled_flow=restyled_flow, counted=counted)
    return mean_over(lengths(restyled_flow - source_flow), counted)
