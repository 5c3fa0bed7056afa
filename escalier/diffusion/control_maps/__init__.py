"""Control maps: lines, people, depth and things of a keyframe, drawn for a ControlNet to respect."""
