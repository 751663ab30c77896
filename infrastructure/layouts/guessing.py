"""The layout of a folder or bucket, chosen by the user or guessed from some of its paths."""

from collections.abc import Sequence

from attrs import frozen

from infrastructure.layouts.layout import Layout, layout_of
from infrastructure.layouts.pattern import InvalidPattern, Pattern
from infrastructure.layouts.presets import PRESET_NAMES, PRESETS, STRFTIME

MAX_EXAMPLES = 3
HOW_TO_CHOOSE = (
    f"Choose --layout: {', '.join(PRESET_NAMES[:-1])}, or a pattern such as"
    " {camera}/%Y-%m-%d/%H%M%S"
)


class UnknownLayout(ValueError):
    """No layout fits, or none has that name: what there is, and how to choose one."""


@frozen
class Fit:
    """How well a layout fits some paths."""

    layout: Layout
    """With those of its patterns that fit any of them."""
    fitting: int
    """How many of the paths."""
    unfit: tuple[str, ...]
    """The other ones."""


def chosen_layout(text: str) -> Layout:
    """Return the layout that a user chose by a preset's name or a pattern; UnknownLayout if none.

    `strftime:` may precede a pattern.
    """
    preset = next((preset for preset in PRESETS if preset.name == text), None)
    if preset:
        return preset
    pattern = text.removeprefix(f"{STRFTIME}:")
    if "%" not in pattern:
        raise UnknownLayout(f"There is no layout {text}. {HOW_TO_CHOOSE}.")
    try:
        return layout_of(STRFTIME, pattern)
    except InvalidPattern as error:
        raise UnknownLayout(str(error)) from error


def fit(layout: Layout, paths: Sequence[str]) -> Fit:
    """Return how well `layout` fits; a pattern counts for the paths that none before it fits."""
    patterns: list[Pattern] = []
    left = list(paths)
    for pattern in layout.patterns:
        unfit = [path for path in left if pattern.place(path) is None]
        if len(unfit) < len(left):
            patterns.append(pattern)
            left = unfit
    return Fit(layout.with_patterns(tuple(patterns)), len(paths) - len(left), tuple(left))


def guess_layout(paths: Sequence[str]) -> Fit:
    """Return the preset that fits most of these recordings; UnknownLayout names examples if none.

    Of presets that fit as many, the one named first in `PRESETS`.
    """
    best = fit(PRESETS[0], paths)
    for preset in PRESETS[1:]:
        if not best.unfit:
            break  # no other fits more of them
        best = max(best, fit(preset, paths), key=lambda found: found.fitting)
    if not best.fitting:
        raise UnknownLayout(
            f"No known layout fits files such as {examples(paths)}. {HOW_TO_CHOOSE}."
        )
    return best


def fit_chosen(text: str, paths: Sequence[str]) -> Fit:
    """Return how well the chosen layout fits; UnknownLayout names examples if not at all."""
    layout = chosen_layout(text)
    found = fit(layout, paths)
    if not found.fitting:
        raise UnknownLayout(
            f"The layout {text} does not fit files such as {examples(paths)}. {HOW_TO_CHOOSE}."
        )
    return found


def examples(paths: Sequence[str]) -> str:
    """Return some of the paths, for messages."""
    return ", ".join(sorted(paths)[:MAX_EXAMPLES])
