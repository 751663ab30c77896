"""The layout of a bucket, which a setting names: nothing is guessed there."""

from infrastructure.layouts.layout import Layout, layout_of
from infrastructure.layouts.presets import PRESETS, STRFTIME

MAX_PATTERNS = 2
"""Each costs requests of its own."""
BUCKET_PRESETS = tuple(preset for preset in PRESETS if len(preset.patterns) <= MAX_PATTERNS)
EXAMPLE = "{camera}/%Y-%m-%d_%H-%M-%S"


def bucket_layout(text: str) -> Layout:
    """Return the layout of a preset's name or a pattern; ValueError says what it must be.

    A preset of many patterns is none of them, because each would be listed for each clip.
    """
    preset = next((preset for preset in BUCKET_PRESETS if preset.name == text), None)
    if preset:
        return preset
    names = ", ".join(preset.name for preset in BUCKET_PRESETS)
    if any(preset.name == text for preset in PRESETS):
        raise ValueError(f"has many patterns: write the one that fits, such as {EXAMPLE}")
    if "%" not in text:
        raise ValueError(f"must be {names}, or a pattern such as {EXAMPLE}")
    layout = layout_of(STRFTIME, text)
    if not layout.patterns[0].names_camera:
        raise ValueError(f"must name the camera, such as {EXAMPLE}")
    return layout
