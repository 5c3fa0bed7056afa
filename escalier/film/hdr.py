"""High dynamic range to ordinary video: what a phone films in HLG or PQ, brought down to BT.709 by one stated rule."""

from functools import lru_cache

import numpy as np

REFERENCE_WHITE = 203.0  # candela a square metre, ITU-R BT.2408: paper white in an HDR picture
KNEE = 0.70  # up to here (of paper white) nothing but the primaries changes; brighter light is compressed

# BT.2020 to BT.709 primaries on linear light, ITU-R BT.2087.
_TO_BT709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32)
_LUMINANCE = np.array([0.2627, 0.6780, 0.0593], np.float32)


def sdr_from_hdr(picture: np.ndarray, transfer: str) -> np.ndarray:
    """Bring an HDR picture, "HLG" or "PQ", down to ordinary BT.709 video: uint8 (H, W, 3).

    `picture` is R'G'B' with BT.2020 primaries, uint16 (H, W, 3), 0..65535.

    The signal becomes light relative to paper white (203 cd/m2, ITU-R BT.2408): for PQ by the curve of SMPTE ST 2084,
    for HLG by the curves of ITU-R BT.2100 for a display of 1000 cd/m2. The primaries go from BT.2020 to BT.709. Light
    under 70 % of paper white stays as it is; above, the brightest of the three channels is bent towards 1 and the other
    two follow in proportion, so highlights keep their hue. The result is encoded for a display of gamma 2.4.

    >>> paper_white_in_hlg = np.full((1, 1, 3), round(0.75 * 65535), np.uint16)
    >>> int(sdr_from_hdr(paper_white_in_hlg, "HLG")[0, 0, 0]) > 225
    True
    """
    light = _linear_table(transfer)[picture >> 4]
    if transfer == "HLG":
        # The system gamma of 1.2 acts on the scene's luminance, not on each channel.
        luminance = light @ _LUMINANCE
        light *= (1000 / REFERENCE_WHITE * np.maximum(luminance, 1e-6) ** np.float32(0.2))[..., None]
    light = np.maximum(light @ _TO_BT709.T, 0)
    brightest = light.max(axis=-1)
    room = 1 - KNEE
    bent = KNEE + room * (1 - np.exp(-(np.maximum(brightest, KNEE) - KNEE) / room))
    light *= np.where(brightest > KNEE, bent / np.maximum(brightest, KNEE), 1)[..., None].astype(np.float32)
    return np.rint(np.clip(light, 0, 1) ** np.float32(1 / 2.4) * 255).astype(np.uint8)


@lru_cache(maxsize=2)
def _linear_table(transfer: str) -> np.ndarray:
    """4096 entries: a 12-bit signal as scene light 0..1 (HLG) or as display light in units of paper white (PQ)."""
    signal = np.linspace(0, 1, 4096)
    if transfer == "HLG":
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        linear = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    else:
        m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
        power = signal ** (1 / m2)
        linear = (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1) * 10_000 / REFERENCE_WHITE
    return linear.astype(np.float32)
