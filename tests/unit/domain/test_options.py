"""Options that differ from the default distinguish clips; their order and spelling do not."""

import pytest
from attrs import evolve, frozen

from domain.clip import ClipReport, ClipRequest, ClipStatus
from domain.options import ClipOptions, option

REQUEST = ClipRequest("clip", "camera", 1_000, 11_000)


@frozen
class TwoOptions(ClipOptions):
    """A number and a text, not in the order of their names."""

    size: int = option("size", 5, "How large.")
    mood: str = option("aMood", "calm", "How it feels.")


@frozen
class MoreOptions(TwoOptions):
    """One more, as a later version may have."""

    extra: bool = option("extra", False, "Whether there is more.")


@frozen
class SetOption(ClipOptions):
    """A set of choices."""

    tags: tuple[str, ...] = option("tags", (), "Which tags.")


@pytest.mark.parametrize(
    ("options", "canonical"),
    [
        (ClipOptions(), ""),
        (TwoOptions(), ""),
        (TwoOptions(size=5, mood="calm"), ""),
        (TwoOptions(size=6), '{"size":6}'),
        (TwoOptions(mood="é", size=6), '{"aMood":"\\u00e9","size":6}'),
        (MoreOptions(size=6), '{"size":6}'),
        (MoreOptions(extra=True), '{"extra":true}'),
        (SetOption(tags=()), ""),
        (SetOption(tags=("b", "a", "b")), '{"tags":["a","b"]}'),
        (ClipOptions(previews=("sprite", "sheet")), '{"previews":["sheet","sprite"]}'),
    ],
    ids=str,
)
def test_the_canonical_form_has_the_chosen_options_alone(
    options: ClipOptions, canonical: str
) -> None:
    """By the names in the message, in their order; a new option leaves the others' form alone."""
    assert options.canonical == canonical


def test_the_fingerprint_of_options_never_changes() -> None:
    """Clips made with them are stored under it."""
    request = evolve(REQUEST, options=TwoOptions(mood="é", size=6))
    assert request.fingerprint == "5d0876d5ce95593fd573abd9691d182d"


def test_each_choice_of_options_is_another_clip() -> None:
    """And the default is the clip of before there were any."""
    choices = [TwoOptions(), TwoOptions(size=6), TwoOptions(mood="6"), TwoOptions(size=6, mood="6")]
    fingerprints = [evolve(REQUEST, options=options).fingerprint for options in choices]
    assert len(set(fingerprints)) == len(choices)
    assert fingerprints[0] == REQUEST.fingerprint


def test_a_report_has_the_chosen_options() -> None:
    """And no others."""
    request = evolve(REQUEST, options=TwoOptions(size=6))
    assert ClipReport.of(request, ClipStatus.PENDING).options == {"size": 6}
    assert ClipReport.of(REQUEST, ClipStatus.PENDING).options == {}


def test_neither_order_nor_repetition_of_choices_matters() -> None:
    """They are a set: the same clip, the same fingerprint, the same report."""
    texts = [("a", "b"), ("b", "a"), ("b", "a", "b")]
    requests = [evolve(REQUEST, options=SetOption(tags=tags)) for tags in texts]
    assert requests[0] == requests[1] == requests[2]
    assert len({request.fingerprint for request in requests}) == 1
    assert requests[0].options.chosen == {"tags": ["a", "b"]}
    assert evolve(REQUEST, options=SetOption()).fingerprint == REQUEST.fingerprint


def test_the_fingerprint_of_a_clip_with_previews_never_changes() -> None:
    """Clips made with them are stored under it."""
    request = evolve(REQUEST, options=ClipOptions(previews=("sprite", "sheet")))
    assert request.fingerprint == "c80a57347f487b1a4c929911404b9689"
