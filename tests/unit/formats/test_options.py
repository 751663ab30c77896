"""Options are read, refused, requeued and described by their declaration alone."""

import json
from typing import Literal

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from domain.clip import ClipReport, ClipRequest, ClipStatus, InvalidRequest
from domain.manifest import Manifest
from domain.options import ClipOptions, option
from infrastructure.formats.manifests import manifest_json, read_manifest
from infrastructure.formats.messages import message_body, read_message
from infrastructure.formats.options import option_rows, read_options
from tests.contract.worlds import FORMAT
from tests.unit.formats.sample_options import SampleOptions
from tests.unit.formats.test_messages import MESSAGE
from tests.unit.formats.values import REQUEST, SENT_MS, UNHURRIED

CHOSEN = SampleOptions(
    codec="h264", max_height=720, label="pier", tags=("rain", "wind"), muted=True
)
GIVEN = {
    "codec": "h264",
    "maxHeight": 720,
    "label": "pier",
    "tags": ["rain", "wind"],
    "muted": True,
}
OPTIONS = st.builds(
    SampleOptions,
    codec=st.sampled_from(("splice", "h264", None)),
    max_height=st.integers(144, 4320),
    label=st.from_regex("[a-z]{0,8}", fullmatch=True),
    tags=st.lists(st.sampled_from(("wind", "rain")), max_size=3).map(tuple),
    muted=st.booleans(),
)


def read(options: object, kind: type[ClipOptions] = SampleOptions) -> ClipRequest | InvalidRequest:
    return read_message(json.dumps({**MESSAGE, "options": options}), SENT_MS, kind)


def test_options_are_read() -> None:
    """By their names in the message; they are no unknown key."""
    request = read(GIVEN)
    assert request == evolve(REQUEST, options=CHOSEN)
    assert isinstance(request, ClipRequest)
    assert request.unknown_keys == {}


@pytest.mark.parametrize(
    "options",
    [
        None,
        {},
        {"codec": None},
        {"tags": []},
        {"muted": False, "maxHeight": 4320, "label": "", "codec": None, "tags": []},
    ],
    ids=str,
)
def test_defaults_may_be_given_or_left_out(options: object) -> None:
    """The request, its body and its fingerprint are the same as without options."""
    request = read(options)
    assert request == evolve(REQUEST, options=SampleOptions())
    assert isinstance(request, ClipRequest)
    assert request.fingerprint == REQUEST.fingerprint
    assert message_body(request) == message_body(REQUEST)
    assert "options" not in message_body(request)


@pytest.mark.parametrize("tags", [["wind", "rain"], ["rain", "wind", "rain"]], ids=str)
def test_the_order_of_choices_does_not_matter(tags: list[str]) -> None:
    """The request is the same, and so are its body and its report."""
    request = read({"tags": tags})
    assert request == evolve(REQUEST, options=SampleOptions(tags=("rain", "wind")))
    assert isinstance(request, ClipRequest)
    assert json.loads(message_body(request))["options"] == {"tags": ["rain", "wind"]}
    report = ClipReport.of(request, ClipStatus.PENDING)
    assert FORMAT.report(report)["options"] == {"tags": ["rain", "wind"]}


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ([], "options is not an object."),
        ("h264", "options is not an object."),
        (False, "options is not an object."),
        (0, "options is not an object."),
        ({"codecs": 1}, "options.codecs is unknown"),
        (
            {"Codec": "h264"},
            "are: hevc, wallClock, gaps, previews, codec, maxHeight, label, tags, muted.",
        ),
        ({"max_height": 720}, "options.max_height is unknown"),
        ({"": 1}, "options. is unknown"),
        ({"codec": "H264"}, 'options.codec must be "splice" or "h264" or null.'),
        ({"codec": ["h264"]}, "options.codec must be"),
        ({"codec": {"h264": 1}}, "options.codec must be"),
        ({"maxHeight": 143}, "options.maxHeight must be a whole number from 144 to 4320."),
        ({"maxHeight": 4321}, "options.maxHeight must be"),
        ({"maxHeight": 720.0}, "options.maxHeight must be"),
        ({"maxHeight": "720"}, "options.maxHeight must be"),
        ({"maxHeight": None}, "options.maxHeight must be"),
        ({"label": "Pier"}, "options.label must be up to 8 small letters."),
        ({"label": "pier\n"}, "options.label must be"),
        ({"label": 7}, "options.label must be"),
        ({"tags": "wind"}, 'options.tags must be an array of "wind" or "rain".'),
        ({"tags": None}, "options.tags must be"),
        ({"tags": {"wind": True}}, "options.tags must be"),
        ({"tags": ["Wind"]}, "options.tags must be"),
        ({"tags": ["wind", None]}, "options.tags must be"),
        ({"tags": [["wind"]]}, "options.tags must be"),
        ({"tags": [{}]}, "options.tags must be"),
        ({"muted": 1}, "options.muted must be true or false."),
        ({"muted": "yes"}, "options.muted must be"),
    ],
    ids=str,
)
def test_what_is_no_option_is_refused_by_name(options: object, reason: str) -> None:
    """What else could be read is reported."""
    invalid = read(options)
    assert isinstance(invalid, InvalidRequest)
    assert reason in invalid.reason
    assert invalid == InvalidRequest(
        "clip-1", invalid.reason, "pier", REQUEST.start_ms, REQUEST.end_ms
    )


def test_all_faults_of_options_are_named_at_once_and_no_value_is() -> None:
    """Five of them; a name may be as long as a message, and of any characters."""
    hostile = {"x" * 10_000: "private", "é\n\ud800": "private", "codec": "private"}
    invalid = read({**hostile, **{f"o{number}": "private" for number in range(1000)}})
    assert isinstance(invalid, InvalidRequest)
    assert "options." + "x" * 40 + "... is unknown" in invalid.reason
    assert "options.\\xe9\\n\\ud800 is unknown" in invalid.reason
    assert "998 more are wrong." in invalid.reason
    assert len(invalid.reason) < 1000
    assert "private" not in invalid.reason
    known = read({"codec": "private", "muted": "private"})
    assert isinstance(known, InvalidRequest)
    assert known.reason.count("must be") == 2
    assert "private" not in known.reason


def test_another_fault_of_the_message_is_named_first() -> None:
    """A message has one reason."""
    body = json.dumps({**MESSAGE, "endTimestampInMs": "later", "options": []})
    invalid = read_message(body, SENT_MS, SampleOptions)
    assert isinstance(invalid, InvalidRequest)
    assert invalid.reason == "endTimestampInMs is not a whole number of milliseconds."


def test_a_repeated_option_is_no_message() -> None:
    """As any repeated key: either may be meant."""
    with pytest.raises(Exception, match="not a JSON object"):
        read_message(
            json.dumps(MESSAGE)[:-1] + ', "options": {"muted": true, "muted": false}}', SENT_MS
        )


def test_the_options_of_the_service() -> None:
    """Whatever else a message asks for is not ignored in silence."""
    assert read({}, ClipOptions) == REQUEST
    assert read({"hevc": "h264"}, ClipOptions) == evolve(REQUEST, options=ClipOptions(hevc="h264"))
    both = evolve(REQUEST, options=ClipOptions(previews=("sheet", "sprite")))
    assert read({"previews": ["sprite", "sheet", "sprite"]}, ClipOptions) == both
    invalid = read({"codec": "h264"}, ClipOptions)
    assert isinstance(invalid, InvalidRequest)
    assert (
        invalid.reason
        == "options.codec is unknown; the options are: hevc, wallClock, gaps, previews."
    )


@pytest.mark.parametrize("zone", ["UTC", "Europe/Madrid", "America/Argentina/Ushuaia", "Etc/GMT+9"])
def test_a_zone_is_read(zone: str) -> None:
    """Any of the database."""
    chosen = evolve(REQUEST, options=ClipOptions(wall_clock=zone))
    assert read({"wallClock": zone}, ClipOptions) == chosen


@pytest.mark.parametrize(
    "zone",
    [
        "Europe/Atlantis",
        "Europe",
        "",
        "../UTC",
        "/etc/localtime",
        "a" * 300,
        "Europe/Madrid\n",
        2,
        "localtime",  # These are files of many machines' databases.
        "posixrules",
        "posix/Europe/Madrid",
        "right/UTC",
        "Factory",
    ],
    ids=repr,
)
def test_a_zone_of_no_database_is_refused(zone: object) -> None:
    """Before any footage is awaited."""
    invalid = read({"wallClock": zone}, ClipOptions)
    assert isinstance(invalid, InvalidRequest)
    expected = 'a time zone of tzdata like "Europe/Madrid" or null'
    assert invalid.reason == f"options.wallClock must be {expected}."


@UNHURRIED
@given(OPTIONS)
def test_options_survive_the_queue(options: SampleOptions) -> None:
    """With the other members, as often as the request is requeued."""
    request = evolve(REQUEST, options=options, unknown_keys={"note": 1})
    again = read_message(message_body(request.retried(SENT_MS)), SENT_MS, SampleOptions)
    assert again == request.retried(SENT_MS)
    assert again.fingerprint == request.fingerprint
    assert json.loads(message_body(request)).get("options", {}) == options.chosen


def test_options_are_reported_if_they_are_not_the_default() -> None:
    """In the report, and in the manifest, which is read back."""
    for request, reported in ((evolve(REQUEST, options=CHOSEN), GIVEN), (REQUEST, None)):
        report = ClipReport.of(request, ClipStatus.AVAILABLE)
        assert FORMAT.report(report).get("options") == reported
        manifest = Manifest(report, "m#1")
        text = manifest_json(manifest)
        assert json.loads(text)["report"].get("options") == reported
        assert read_manifest(text) == manifest


def test_the_options_of_a_later_version_stay_in_its_manifest() -> None:
    """They are members of a report that is only repeated."""
    report = ClipReport("c1", ClipStatus.AVAILABLE, options={"hue": "warm", "depth": 10})
    assert read_manifest(manifest_json(Manifest(report, "m#1"))).report.options == report.options


@pytest.mark.parametrize("bad", ["[]", "null", '"x"', "1"])
def test_a_manifest_with_other_options_is_none(bad: str) -> None:
    """They are an object."""
    report = ClipReport("c1", ClipStatus.AVAILABLE, options={"hue": 1})
    text = json.dumps(json.loads(manifest_json(Manifest(report, "m#1"))))
    with pytest.raises(ValueError, match="not a manifest"):
        read_manifest(text.replace('{"hue": 1}', bad))


def test_options_are_described_for_the_documents() -> None:
    """A row of a table for each."""
    assert option_rows(SampleOptions)[len(option_rows(ClipOptions)) :] == [
        '| `codec` | "splice" or "h264" or null | `null` | How the pictures are coded. |',
        "| `maxHeight` | a whole number from 144 to 4320 | `4320` | Lines at most. |",
        '| `label` | up to 8 small letters | `""` | A word for the file. |',
        '| `tags` | an array of "wind" or "rain" | `[]` | What the weather was. |',
        "| `muted` | true or false | `false` | Whether the audio is left out. |",
    ]


def test_an_option_of_another_type_cannot_be_declared() -> None:
    """A number needs bounds, a text a pattern, and a choice texts."""
    for kind in (int, str, float, list[str], Literal[1, 2]):

        @frozen
        class Loose(ClipOptions):
            field: kind = option("field", None, "Anything.")  # type: ignore[valid-type]  # noqa: RUF009

        with pytest.raises(TypeError, match="field"):
            read_options({}, Loose)
