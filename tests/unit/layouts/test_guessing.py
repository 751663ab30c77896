"""Which layout some paths are in."""

import pytest

from infrastructure.layouts.guessing import UnknownLayout, fit_chosen, guess_layout

GUESSES = {
    "pier/pier.20180815T140019.mp4": "camclip",
    "recordings/pier/pier.stream.20181031T025200051.MP4": "camclip",
    "pier/2026-05-01_12-00-10-250000.mp4": "mediamtx",
    "cams/pier/2026-05-01_12-00-10-250000.mp4": "mediamtx",
    "2026-05-01/12/pier/05.10.mp4": "frigate",
    "20260501_120010_NF.mp4": "dashcam",
    "Record/20260501_120010_EIL.mp4": "dashcam",
    "pier/2026-05-01_12-00-00.mp4": "ffmpeg",
    "pier/2026-05-01-12-00-00.mp4": "ffmpeg",
    "pier/out-20260501-120000.mp4": "ffmpeg",
    "pier_2026-05-01_12-00-00.mov": "ffmpeg",
    "20260501T120000.mp4": "ffmpeg",
    "pier/1777636810.mp4": "ffmpeg",
}


@pytest.mark.parametrize(("path", "name"), GUESSES.items())
def test_each_recorders_paths_are_recognized(path: str, name: str) -> None:
    """With the one pattern that fits."""
    fit = guess_layout([path])
    assert fit.layout.name == name
    assert len(fit.layout.patterns) == 1
    assert (fit.fitting, fit.unfit) == (1, ())


def test_the_layout_of_most_files_is_guessed() -> None:
    """The others are named."""
    paths = ["pier/2026-05-01_12-00-10-250000.mp4", "pier/2026-05-01_12-10-10-250000.mp4"]
    fit = guess_layout([*paths, "20260501_120010_NF.mp4"])
    assert (fit.layout.name, fit.fitting) == ("mediamtx", 2)
    assert fit.unfit == ("20260501_120010_NF.mp4",)


def test_files_of_no_known_layout_are_named_with_the_remedy() -> None:
    """Three of them, and how to choose a layout."""
    with pytest.raises(UnknownLayout) as caught:
        guess_layout([f"pier/holiday {n}.mp4" for n in range(9)])
    assert str(caught.value) == (
        "No known layout fits files such as pier/holiday 0.mp4, pier/holiday 1.mp4,"
        " pier/holiday 2.mp4. Choose --layout: camclip, mediamtx, frigate, dashcam, ffmpeg, or a"
        " pattern such as {camera}/%Y-%m-%d/%H%M%S."
    )


@pytest.mark.parametrize(
    ("choice", "fault"),
    [
        ("mediamtx", "The layout mediamtx does not fit files such as pier/x.mp4."),
        ("{camera}/%Y%m%d%H%M%S", "The layout {camera}/%Y%m%d%H%M%S does not fit files such as"),
        ("blueiris", "There is no layout blueiris."),
        ("%Q", "has %Q, which is unknown"),
    ],
)
def test_a_chosen_layout_must_fit(choice: str, fault: str) -> None:
    """The message names it, and examples of the files."""
    with pytest.raises(UnknownLayout) as caught:
        fit_chosen(choice, ["pier/x.mp4"])
    assert fault in str(caught.value)


@pytest.mark.parametrize("prefix", ["", "strftime:"])
def test_a_pattern_may_be_chosen(prefix: str) -> None:
    """With or without the name for such layouts."""
    fit = fit_chosen(f"{prefix}%path/%Y%m%d%H%M", ["a/b/202605011200.mp4"])
    assert str(fit.layout) == "strftime ({camera}/%Y%m%d%H%M)"
