"""The files next to a clip that its request's options ask for."""

from collections.abc import Collection, Mapping

SHEET = "sheet.jpg"
"""A contact sheet: pictures evenly over the clip, each with its wall clock."""
SPRITE = "sprite.jpg"
"""Small pictures in one image."""
SPRITE_INDEX = "sprite.vtt"
"""When each of them is shown, and when it was seen."""
WALL_CLOCK = "vtt"
"""The wall clock as WebVTT: under the clip's own name, where players look for subtitles."""
SIDECARS = (SHEET, SPRITE, SPRITE_INDEX, WALL_CLOCK)
"""The ends of their names, after the clip's id and a dot: no id contains a dot."""


def sidecars_of(options: Mapping[str, object]) -> tuple[str, ...]:
    """Return which sidecars a clip of these chosen options has, by the ends of their names."""
    chosen = options.get("previews")
    previews = chosen if isinstance(chosen, Collection) else ()
    wanted = {
        SHEET: "sheet" in previews,
        SPRITE: "sprite" in previews,
        SPRITE_INDEX: "sprite" in previews,
        WALL_CLOCK: options.get("wallClock") is not None,
    }
    return tuple(name for name in SIDECARS if wanted[name])
