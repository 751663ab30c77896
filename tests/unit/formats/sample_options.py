"""Options as there may be one day: of each type that an option can have."""

from typing import Annotated, Literal

from attrs import frozen

from domain.options import Between, ClipOptions, Matching, option


@frozen
class SampleOptions(ClipOptions):
    """A choice, a number, a text, a set of choices and a switch."""

    codec: Literal["splice", "h264"] | None = option("codec", None, "How the pictures are coded.")
    max_height: Annotated[int, Between(144, 4320)] = option("maxHeight", 4320, "Lines at most.")
    label: Annotated[str, Matching("[a-z]{0,8}", "up to 8 small letters")] = option(
        "label", "", "A word for the file."
    )
    tags: tuple[Literal["wind", "rain"], ...] = option("tags", (), "What the weather was.")
    muted: bool = option("muted", False, "Whether the audio is left out.")
