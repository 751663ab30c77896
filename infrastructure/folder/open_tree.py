"""Find out how the recordings of a folder are laid out."""

from collections.abc import Mapping
from datetime import UTC, tzinfo
from pathlib import Path

from attrs import frozen

from infrastructure.camera_api.names import SUFFIXES
from infrastructure.folder.machine_zone import machine_zone
from infrastructure.folder.recording_tree import RecordingTree, sample_recordings
from infrastructure.layouts.configuration import (
    CONFIGURATION,
    LayoutConfiguration,
    read_configuration,
    read_zone,
)
from infrastructure.layouts.guessing import Fit, UnknownLayout, examples, fit_chosen, guess_layout
from infrastructure.layouts.layout import Layout


@frozen
class OpenedTree:
    """The recordings of a folder, and what was assumed about them."""

    tree: RecordingTree
    remark: str
    """For people, in one line: what nothing but a guess says; empty if the user chose it all."""


def open_tree(
    folder: Path,
    layout: str,
    tz: str,
    environ: Mapping[str, str],
    skipped: Path | None = None,
) -> OpenedTree:
    """Return the recordings below `folder`; `layout` and `tz` are empty if the user chose none.

    What the user did not choose is taken from `camclip.toml`, else guessed. UnknownLayout if no
    layout fits, InvalidConfiguration if the configuration or a zone is wrong, and OSError if the
    folder cannot be read. A layout with a zone of its own keeps it, unless `camclip.toml` has one.
    """
    folder = folder.resolve()
    configuration = _configuration(folder)
    sample = sample_recordings(folder, skipped)
    if not sample:
        raise UnknownLayout(f"{folder} holds no files ending with {SUFFIXES}.")
    choice = layout or configuration.layout
    fit = fit_chosen(choice, sample) if choice else guess_layout(sample)
    zone, whose = _zone(fit.layout, tz, configuration, environ)
    tree = RecordingTree(folder, fit.layout, zone, configuration.cameras, skipped)
    return OpenedTree(tree, _remark(fit, zone, whose, is_guess=not choice))


def _configuration(folder: Path) -> LayoutConfiguration:
    try:
        return read_configuration((folder / CONFIGURATION).read_bytes())
    except FileNotFoundError:
        return LayoutConfiguration()


def _zone(
    layout: Layout, tz: str, configuration: LayoutConfiguration, environ: Mapping[str, str]
) -> tuple[tzinfo, str]:
    """Return the zone of the layout's times, and who says so; not a word if the user does."""
    if all(pattern.has("s", "z") for pattern in layout.patterns):
        return UTC, ""
    # A recorder that always writes UTC does so wherever its user, who chooses a zone, lives.
    chosen = configuration.tz if layout.zone else tz or configuration.tz
    if chosen:
        return read_zone(chosen), ""
    if layout.zone:
        return read_zone(layout.zone), "as the layout has it"
    return machine_zone(environ), "this machine's zone"


def _remark(fit: Fit, zone: tzinfo, whose: str, *, is_guess: bool) -> str:
    parts = []
    if is_guess:
        count = f"{fit.fitting} of {fit.fitting + len(fit.unfit)} files looked at"
        unfit = f", not {examples(fit.unfit)}" if fit.unfit else ""
        parts.append(f"Guessed the layout {fit.layout}: it fits {count}{unfit}.")
    if whose and (is_guess or not fit.layout.zone):
        parts.append(f"Its times are taken as {zone}, {whose}.")
    is_free = bool(whose) and not fit.layout.zone
    options = " or ".join(["--layout"] * is_guess + ["--tz"] * is_free)
    return " ".join([*parts, f"If that is wrong, use {options}."]) if parts else ""
