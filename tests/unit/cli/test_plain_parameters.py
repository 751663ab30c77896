"""Options that typer need not convert mean what they mean to typer, and its errors stay."""

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import typer
from typer.core import TyperCommand
from typer.main import get_command
from typer.testing import CliRunner

from entrypoints.cli.plain_parameters import PlainArgument, PlainOption, made_plain


class PlainCommand(TyperCommand):
    def get_params(self, ctx: Any) -> Any:  # noqa: ANN401 - typer does not export the types
        return made_plain(super().get_params(ctx))


def upper(text: str) -> str:
    return text.upper()


def show(
    *,
    file: Annotated[Path | None, typer.Argument()] = None,
    text: Annotated[str, typer.Option()] = "",
    needed: Annotated[str, typer.Option()],
    maybe: Annotated[str | None, typer.Option()] = None,
    many: Annotated[list[str] | None, typer.Option()] = None,
    folder: Annotated[Path | None, typer.Option()] = None,
    place: Annotated[Path, typer.Option()] = Path("here"),
    gaps: Annotated[Literal["skip", "fail"], typer.Option()] = "skip",
    width: Annotated[int, typer.Option(min=0, max=9)] = 3,
    shouted: Annotated[str, typer.Option(callback=upper)] = "a",
    flag: Annotated[bool, typer.Option()] = False,
) -> None:
    """Print what the function is called with."""
    typer.echo(repr((file, text, needed, maybe, many, folder, place, gaps, width, shouted, flag)))


def app(kind: type[TyperCommand]) -> typer.Typer:
    made = typer.Typer(add_completion=False)
    made.command("show", cls=kind)(show)
    return made


NEEDED = ("--needed", "n")


@pytest.mark.parametrize(
    "argv",
    [
        NEEDED,
        ("--needed", ""),
        (*NEEDED, "a/b.mp4", "--text", "t", "--maybe", "", "--many", "x", "--many", "y"),
        (*NEEDED, "--folder", "a/../b/", "--place", ".", "--gaps", "fail", "--flag"),
        (*NEEDED, "--width", "7", "--shouted", "b"),
        (),
        (*NEEDED, "--gaps", "other"),
        (*NEEDED, "--width", "10"),
        (*NEEDED, "--width", "x"),
        (*NEEDED, "--folder"),
        (*NEEDED, "one", "two"),
        ("--help",),
    ],
    ids=" ".join,
)
def test_a_value_is_what_typer_makes_of_it(argv: tuple[str, ...]) -> None:
    """Valid or not, absent or given, and with a callback."""
    plain = CliRunner().invoke(app(PlainCommand), argv)
    usual = CliRunner().invoke(app(TyperCommand), argv)
    assert (plain.output, plain.exit_code) == (usual.output, usual.exit_code)
    assert not plain.exception or isinstance(plain.exception, SystemExit)


def test_all_parameters_are_plain() -> None:
    """That for help, too."""
    made = get_command(app(PlainCommand))
    kinds = {type(parameter) for parameter in made.get_params(typer.Context(made))}
    assert kinds == {PlainOption, PlainArgument}


def test_a_path_that_cannot_be_read_is_left_to_typer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reports that before the command runs."""
    monkeypatch.setattr("os.access", lambda *_: False)
    argv = [*NEEDED, "--folder", str(tmp_path)]
    ran = CliRunner().invoke(app(PlainCommand), argv)
    assert ran.exit_code == 2
    assert "is not readable" in " ".join(ran.output.split())
