"""The options of a request: how its clip departs from the usual one.

An option is one field of `ClipOptions`: its type, its default and its meaning. How it is read,
refused, requeued, reported and documented, and its part in a clip's fingerprint, follow from that.
"""

import json
from typing import Any, Literal

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


def option(name: str, default: Any, meaning: str) -> Any:  # noqa: ANN401 - as attrs.field
    """Declare the option `name` of a message; `meaning` is a sentence for people.

    Its type is a Literal of texts, bool, or an int or str Annotated with Between or Matching; any
    of these may be `| None`. Clips that are stored know the name, the default and the values by
    their fingerprints: none of them may change its meaning.
    """
    return field(default=default, kw_only=True, metadata={"name": name, "meaning": meaning})


@frozen
class ClipOptions:
    """What a message's `options` may contain."""

    hevc: Literal["splice", "h264"] | None = option(
        "hevc", None, "What becomes of HEVC recordings; null leaves it to the setting `HEVC`."
    )

    @property
    def chosen(self) -> dict[str, object]:
        """The options that differ from their defaults, by name."""
        return {
            attribute.metadata["name"]: value
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
