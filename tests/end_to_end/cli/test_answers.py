"""What `camclip` says when something is not as hoped: each answer, word for word."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from entrypoints.cli.app import app
from tests.support.recorders import START_MS, write_frigate

QUICK = {"THUMBNAIL_SIZES": "160", "SQS_TIMEOUT": "1", "TZ": "UTC"}


def camclip(*arguments: object, **settings: str) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)), env={**QUICK, **settings})


@pytest.fixture
def dvr(tmp_path: Path, films: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Store what Frigate writes: two cameras with three files of ten seconds."""
    write_frigate(tmp_path / "dvr", films)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "dvr"


def cut(dvr: Path, start_s: float, duration_s: float, *more: object, **settings: str) -> Result:
    window = ("--from", START_MS + round(1000 * start_s), "--for", f"{duration_s}s")
    options = ("--recordings", dvr, "--layout", "frigate", "--camera", "pier")
    return camclip("cut", *options, *window, *more, **settings)


class TestMisses:
    """A window without footage."""

    def test_a_window_that_misses_names_the_nearest_footage(self, dvr: Path) -> None:
        """On both sides of it, with the distances."""
        (dvr / "2026-05-01/12/pier/00.00.mp4").unlink()
        ran = cut(dvr, 12, 4)
        assert ran.exit_code == 4
        assert ran.stderr.strip() == (
            "The nearest footage ends 2 s before, at 2026-05-01 12:00:00.000 UTC,"
            " and begins 4 s after, at 2026-05-01 12:00:10.000 UTC."
        )

    def test_with_json_too(self, dvr: Path) -> None:
        """On standard error, which is no JSON."""
        ran = cut(dvr, 40, 4, "--json")
        assert json.loads(ran.stdout)["status"] == "CLIP_OUT_OF_RANGE"
        assert ran.stderr.strip() == (
            "The nearest footage ends 10 s before, at 2026-05-01 12:00:20.000 UTC."
        )

    def test_a_window_with_some_footage_does_not(self, dvr: Path) -> None:
        """Its gap says where there is none."""
        ran = cut(dvr, 28, 4)
        assert ran.exit_code == 0
        assert ran.stderr == ""

    def test_a_camera_without_any(self, tmp_path: Path) -> None:
        """Nothing is nearest."""
        (tmp_path / "recordings/pier").mkdir(parents=True)
        window = ("--from", START_MS, "--for", "1s")
        ran = camclip("cut", "--root", tmp_path, "--camera", "pier", *window)
        assert ran.stderr.strip() == "The camera has no footage at all."


class TestIds:
    """Ids that are taken."""

    def test_a_reused_id_proposes_a_new_one(self, dvr: Path) -> None:
        """One that is free."""
        assert cut(dvr, 1, 1, "--id", "c1").exit_code == 0
        assert cut(dvr, 2, 1, "--id", "c1-2").exit_code == 0
        ran = cut(dvr, 3, 1, "--id", "c1")
        assert ran.exit_code == 1
        failure, remedy = ran.stderr.splitlines()
        assert failure == (
            "camclip: Clip c1 failed: A clip of another window, or with other options,"
            " has this name."
        )
        assert remedy == "c1-3 is a free id; camclip cut --again replaces a clip."
        assert cut(dvr, 3, 1, "--id", "c1-3").exit_code == 0


class TestCopies:
    """Frames that are not copied."""

    @pytest.mark.parametrize(
        ("start_s", "settings", "why"),
        [
            (2.1, {}, "no keyframe that copying could begin with is within it"),
            (0, {}, ""),
        ],
    )
    def test_0_copied_frames_say_why(
        self, dvr: Path, start_s: float, settings: dict[str, str], why: str
    ) -> None:
        """A clip with some does not."""
        ran = cut(dvr, start_s, 0.5, **settings)
        assert ran.exit_code == 0, ran.output
        assert ("0 copied, 15 encoded" in ran.stdout) == bool(why)
        assert [line for line in ran.stdout.splitlines() if line.startswith("why")] == (
            [f"why       │ none is copied: {why}"] if why else []
        )


class TestPaths:
    """Lines on a terminal."""

    def test_a_narrow_terminal_folds_no_path(self, dvr: Path) -> None:
        """So that it can be copied."""
        deep = dvr.parent / ("a-folder-with-a-long-name-" * 5)
        window = ("--from", str(START_MS + 1000), "--for", "1s", "--id", "c1", "--out", str(deep))
        ours, theirs = os.openpty()
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "entrypoints.cli.app", "cut", "--camera", "pier"),
                *("--recordings", str(dvr), *window),
            ],
            env={**os.environ, **QUICK, "COLUMNS": "40", "TERM": "xterm"},
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        printed = b""
        try:
            while chunk := os.read(ours, 4096):
                printed += chunk
        except OSError:  # Linux's end of a terminal
            pass
        os.close(ours)
        assert process.wait(60) == 0, printed
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", printed.decode())
        assert f"clip      │ {deep}/pier/c1.mp4" in text.splitlines()


class TestInterrupts:
    """Ctrl-C."""

    def interrupted(
        self, *arguments: object, when: Callable[[], object], **settings: str
    ) -> tuple[int, list[str]]:
        """Return exit code and standard error of a run that is interrupted at some moment."""
        process = subprocess.Popen(
            [sys.executable, "-m", "entrypoints.cli.app", *map(str, arguments)],
            env={**os.environ, **QUICK, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        until_s = time.monotonic() + 60
        while not when() and time.monotonic() < until_s:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, messages = process.communicate(timeout=60)
        assert out == ""
        return process.returncode, messages.splitlines()

    def test_a_clip_that_was_not_made_is_named(self, dvr: Path) -> None:
        """And nothing is left of it."""
        slow = dvr.parent / "ffmpeg"
        slow.write_text("#!/bin/sh\nsleep 5\n")
        slow.chmod(0o755)
        out = dvr.parent / "out"
        code, messages = self.interrupted(
            *("cut", "--recordings", dvr, "--layout", "frigate", "--camera", "pier"),
            *("--from", START_MS + 1000, "--for", "1s", "--id", "c1", "--out", out),
            when=lambda: list(out.glob(".camclip/.scratch/*/*")),
            CAMCLIP_FFMPEG=str(slow),
        )
        assert code == 130
        assert messages == [
            "Interrupted.",
            "Clip c1 of pier was not made; nothing is left of it.",
        ]
        assert not [path for path in out.rglob("*") if path.is_file()]

    def test_what_waits_in_the_queue_is_counted(self, dvr: Path) -> None:
        """With the command that goes on."""
        out = dvr.parent / "out"
        now_ms = time.time_ns() // 10**6
        options = ("--recordings", dvr, "--layout", "frigate", "--out", out)
        for start_ms in (now_ms - 2000, now_ms - 3000):
            window = ("--from", start_ms, "--for", "1s")
            waiting = camclip("cut", *options, "--camera", "pier", *window)
            assert waiting.exit_code == 3, waiting.output
        first = set(out.glob(".camclip/queue/*"))
        code, messages = self.interrupted(
            *("run", *options, "--until-done"),
            when=lambda: (
                len(now := set(out.glob(".camclip/queue/*"))) == 2 and first.isdisjoint(now)
            ),
            SQS_TIMEOUT="60",
        )
        assert code == 130
        command = f"camclip run --recordings {dvr} --layout frigate --out {out} --until-done"
        assert messages == ["Interrupted.", f"2 requests wait in the queue: {command}"]
