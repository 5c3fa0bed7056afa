"""Keyframes: painted frames with their place in the film, chosen, laid on sheets and cut back."""

from .keyframes import Keyframes

__all__ = ["Keyframes"]
