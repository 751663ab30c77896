"""What is printed of names that mean harm, or are no Unicode."""

import io

import pytest

from entrypoints.cli.console import PlainConsole, err, out, print_facts, shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("pier/a.mp4, \u00fc \u2014 \U0001f600", None, id="any writing"),
        pytest.param("a\n\tb", None, id="lines and tabs"),
        pytest.param("\x1b]0;x\x07", "\\x1b]0;x\\x07", id="a terminal's title"),
        pytest.param("\x9b31m", "\\x9b31m", id="a sequence that begins with one byte"),
        pytest.param("a\rb\x08\x7f", "a\\rb\\x08\\x7f", id="text over other text"),
        pytest.param("gpj.\u202e4pm", "gpj.\\u202e4pm", id="an order of writing"),
        pytest.param("\u2066a\u2069", "\\u2066a\\u2069", id="an isolated order"),
        pytest.param("bad\udcff", "bad\\udcff", id="a byte that is no UTF-8"),
        pytest.param("a\u2028b", "a\\u2028b", id="another line end"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(text: str, expected: str | None) -> None:
    """All else is shown as it is."""
    assert shown(text) == (text if expected is None else expected)


def test_a_name_is_no_emoji(capsys: pytest.CaptureFixture[str]) -> None:
    """Whether it is printed as a text, as one with styles, or among facts."""
    out.print(":car:", "[b]:car:[/]")
    err.print(":car:", markup=False)
    print_facts("Clip :car:", [("clip", "clips/:car:/c1.mp4")])
    printed = capsys.readouterr()
    assert printed.out == ":car: :car:\nClip :car:\nclip      │ clips/:car:/c1.mp4\n"
    assert printed.err == ":car:\n"


def test_a_console_prints_no_name_as_it_is() -> None:
    """Styles of its own remain, on a terminal."""
    file = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="strict")
    console = PlainConsole(file=file, force_terminal=True, color_system="standard", highlight=False)
    console.print("[red]x[/]\x1b[2J\udcff")
    file.flush()
    assert file.buffer.getvalue() == b"\x1b[31mx\x1b[0m\\x1b[2J\\udcff\n"
