"""The options of a request: how its clip departs from the usual one.

An option is one field of `ClipOptions`: its type, its default and its meaning. How it is read,
refused, requeued, reported and documented, and its part in a clip's fingerprint, follow from that.
"""

import json
from collections.abc import Iterable
from typing import Annotated, Any, Literal, get_args

import attrs
from attrs import field, frozen


@frozen
class Between:
    """The whole numbers that an option may be: `Annotated[int, Between(1, 9)]`."""

    min: int
    max: int


@frozen
class Matching:
    """The texts that an option may be: `Annotated[str, Matching("[a-z]+", "small letters")]`."""

    pattern: str
    """A regular expression that the whole text matches."""
    expected: str
    """For people: what the pattern means."""


@frozen
class ZoneName:
    """The names of time zones: `Annotated[str, ZoneName()]`."""

    pattern: str = "[A-Za-z][A-Za-z0-9_+-]{0,31}(/[A-Za-z0-9_+-]{1,31}){0,2}"
    """A regular expression that the whole text matches; there is not a zone of each such name."""


def option(name: str, default: Any, meaning: str) -> Any:  # noqa: ANN401 - as attrs.field
    """Declare the option `name` of a message; `meaning` is a sentence for people.

    Its type is a Literal of texts, a tuple of any number of them (a set of choices), bool, or an
    int or str Annotated with Between, Matching or ZoneName; any of these but the set may be
    `| None`. Clips that are stored know the name, the default and the values by their
    fingerprints: none of them may change its meaning.
    """
    return field(
        default=default,
        kw_only=True,
        converter=_in_order if isinstance(default, tuple) else None,
        metadata={"name": name, "meaning": meaning},
    )


def _in_order(choices: Iterable[str]) -> tuple[str, ...]:
    """Return the one form of a set of choices: in the order of their texts, each once."""
    return tuple(sorted(set(choices)))


Filler = Literal["hold", "black", "slate"]
"""What a clip may show in its gaps."""
FILLERS: tuple[Filler, ...] = get_args(Filler)


@frozen
class ClipOptions:
    """What a message's `options` may contain."""

    hevc: Literal["splice", "h264"] | None = option(
        "hevc", None, "What becomes of HEVC recordings; null leaves it to the setting `HEVC`."
    )

    wall_clock: Annotated[str, ZoneName()] | None = option(
        "wallClock",
        None,
        "The zone of a track of text with the wall clock, a cue a second, and of chapters for"
        " recordings and gaps; null leaves both out.",
    )

    gaps: Literal["skip", "fail", "hold", "black", "slate"] = option(
        "gaps",
        "skip",
        "What becomes of gaps: the clip's clock skips them; a clip with gaps is not made; or the"
        " clip is as long as its window and shows the picture next to the gap, black, or a slate"
        " with the gap's times.",
    )

    previews: tuple[Literal["sheet", "sprite"], ...] = option(
        "previews",
        (),
        "Pictures of the clip next to it: `sheet`, a contact sheet; `sprite`, small pictures in one"
        " image, with an index for players.",
    )

    @property
    def filler(self) -> Filler | None:
        """What the clip shows in its gaps; None if its clock skips them."""
        return next((filler for filler in FILLERS if filler == self.gaps), None)

    @property
    def chosen(self) -> dict[str, object]:
        """The options that differ from their defaults, by name, as JSON has them."""
        return {
            attribute.metadata["name"]: list(value) if isinstance(value, tuple) else value
            for attribute in attrs.fields(type(self))
            if (value := getattr(self, attribute.name)) != attribute.default
        }

    @property
    def canonical(self) -> str:
        """The chosen options as JSON, the same for the same options; empty if there are none."""
        chosen = self.chosen
        return json.dumps(chosen, sort_keys=True, separators=(",", ":")) if chosen else ""


USUAL = ClipOptions()
"""The options of a request that chooses none."""
