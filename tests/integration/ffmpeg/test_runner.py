"""Whatever the program at ffmpeg's path does, its run ends in time and leaves no process."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path

import pytest

from devtools.local_aws.process_table import is_running
from domain.errors import DeadlineExceeded, Unavailable, UnusableFootage
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.ffmpeg.runner import TAIL_BYTES, Ffmpeg, mp4_input

Fake = Callable[[str], Ffmpeg]


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """Return a function that makes a fake ffmpeg of a shell script."""

    def make(script: str) -> Ffmpeg:
        path = tmp_path / "ffmpeg"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return Ffmpeg(path)

    return make


def soon(seconds: float = 20) -> float:
    """Return a deadline on the monotonic clock."""
    return time.monotonic() + seconds


@pytest.mark.parametrize(
    "script",
    ["sleep 60", "trap '' TERM INT HUP; while :; do sleep 1; done", "exec 2>&-; sleep 60"],
    ids=["hangs", "ignores signals", "closes its messages"],
)
def test_an_ffmpeg_that_hangs_is_killed_at_the_deadline(fake: Fake, script: str) -> None:
    """Not later, and the error is DeadlineExceeded."""
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        fake(script).run([], soon(0.3))
    assert 0.3 <= time.monotonic() - began < 1.3


def test_nothing_is_started_after_the_deadline(fake: Fake, tmp_path: Path) -> None:
    """A deadline that has passed is DeadlineExceeded at once."""
    with pytest.raises(DeadlineExceeded):
        fake(f"touch {tmp_path}/started").run([], soon(-1))
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("result", ["sleep 60", "exit 0"], ids=["hangs", "exits"])
def test_children_die_with_it(fake: Fake, tmp_path: Path, result: str) -> None:
    """A child that holds the pipes neither survives nor delays the end."""
    began = time.monotonic()
    try:
        fake(f"sleep 60 &\necho $! > {tmp_path}/child\n{result}").run([], soon(0.5))
    except DeadlineExceeded:
        assert result != "exit 0"
    assert time.monotonic() - began < 2
    child = int((tmp_path / "child").read_text())
    gone_by = soon(2)
    while is_running(child) and time.monotonic() < gone_by:
        time.sleep(0.01)
    assert not is_running(child)


KILLED = """
import sys, time
from pathlib import Path
from infrastructure.ffmpeg.runner import Ffmpeg
Ffmpeg(Path(sys.argv[1])).run([], time.monotonic() + 60)
"""


def test_it_does_not_outlive_us(fake: Fake, tmp_path: Path) -> None:
    """If the process that runs it is killed, it and its children die, whatever they ignore."""
    ffmpeg = fake(
        "trap '' TERM INT HUP\nsleep 60 &\n"
        f"echo $$ $! > {tmp_path}/new && mv {tmp_path}/new {tmp_path}/pids\nsleep 60; sleep 60"
    )
    with subprocess.Popen([sys.executable, "-c", KILLED, str(ffmpeg.path)]) as process:
        began_by = soon()
        while not (tmp_path / "pids").exists() and time.monotonic() < began_by:
            time.sleep(0.01)
        pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
        assert all(map(is_running, pids))
        process.kill()
    gone_by = soon(3)
    while any(map(is_running, pids)) and time.monotonic() < gone_by:
        time.sleep(0.01)
    left = [pid for pid in pids if is_running(pid)]
    for pid in left:
        os.kill(pid, 9)
    assert left == []


def test_a_child_that_left_the_group_delays_nothing(fake: Fake, tmp_path: Path) -> None:
    """It keeps the pipes open, but the run does not wait for it."""
    began = time.monotonic()
    fake(f"setsid sleep 20 &\necho $! > {tmp_path}/child\nsleep 0.1\nexit 0").run([], soon())
    assert time.monotonic() - began < 5
    os.kill(int((tmp_path / "child").read_text()), 9)


def test_the_end_of_a_flood_of_messages_is_kept(fake: Fake) -> None:
    """100 MB are read in bounded memory, and the last message is returned."""
    script = "head -c 100000000 /dev/zero | tr '\\0' x >&2\necho the end >&2"
    messages = fake(script).run([], soon())
    assert len(messages) <= TAIL_BYTES
    assert messages.endswith("the end")


def test_a_flood_of_output_without_lines_blocks_nothing(fake: Fake) -> None:
    """It is passed on in parts of bounded length."""
    lengths: list[int] = []
    fake("head -c 1000000 /dev/zero").run(
        [], soon(), on_line=lambda line: lengths.append(len(line))
    )
    assert sum(lengths) == 1_000_000
    assert max(lengths) <= 4096


def test_death_by_a_signal_is_unavailable(fake: Fake) -> None:
    """Another process killed it: that says nothing about the footage."""
    with pytest.raises(Unavailable, match="signal 9"):
        fake("kill -9 $$").run([], soon())


def test_a_failure_is_unusable_footage_with_the_last_message(fake: Fake) -> None:
    """The last message is the reason."""
    with pytest.raises(UnusableFootage, match="exited with status 3: no frame!"):
        fake("echo something >&2; echo no frame! >&2; exit 3").run([], soon())


@pytest.mark.parametrize(
    ("message", "meaning"),
    [
        ("x.mp4: No space left on device", "disk is full"),
        ("av_interleaved_write_frame(): File too large", "disk is full"),
        ("Error while opening encoder: Cannot allocate memory", "too little memory"),
        ("x264 [error]: malloc of size 1074880 failed", "too little memory"),
    ],
)
def test_a_full_disk_or_memory_is_unavailable(fake: Fake, message: str, meaning: str) -> None:
    """It says nothing about the footage."""
    with pytest.raises(Unavailable, match=meaning):
        fake(f"echo '{message}' >&2; exit 1").run([], soon())


@pytest.mark.parametrize(
    "data",
    [
        b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"1\n00:00:00,000 --> 00:00:05,000\nHello.\n",
        b"P6 1 1 255\n\0\0\0",
    ],
    ids=["an HLS playlist", "a list of files", "subtitles", "a picture"],
)
def test_only_an_mp4_is_opened(tmp_path: Path, data: bytes) -> None:
    """By default, ffmpeg chooses the format by a file's content, and opens the files it names."""
    path = tmp_path / "excerpt.mp4"
    path.write_bytes(data)
    with pytest.raises(UnusableFootage, match="exited with status"):
        Ffmpeg(find_ffmpeg({})).run([*mp4_input(path), "-f", "null", "-"], soon())


def test_a_missing_program_is_unavailable(tmp_path: Path) -> None:
    """So is a file that is not executable."""
    with pytest.raises(Unavailable, match="No such file"):
        Ffmpeg(tmp_path / "ffmpeg").run([], soon())
    (tmp_path / "text").write_text("text")
    with pytest.raises(Unavailable, match="Permission denied"):
        Ffmpeg(tmp_path / "text").run([], soon())


def test_it_gets_no_environment_and_no_input_unless_given(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret in our environment does not reach it; its stdin is at its end."""
    monkeypatch.setenv("SECRET", "hidden")
    lines: list[str] = []
    fake('echo "[$SECRET]"; cat').run([], soon(), on_line=lines.append)
    assert lines == ["[]\n"]
    fake("cat").run([], soon(), stdin=b"given\n", on_line=lines.append)
    assert lines == ["[]\n", "given\n"]


def test_more_input_than_it_reads_blocks_nothing(fake: Fake) -> None:
    """It may exit before it has read all."""
    fake("head -c 10 > /dev/null").run([], soon(), stdin=bytes(5_000_000))


def test_a_feed_is_written_while_it_runs(fake: Fake) -> None:
    """Chunk by chunk: a later one is made after the output of an earlier one was read."""
    lines: list[str] = []

    def chunks() -> Iterator[bytes]:
        yield b"x" * 100_000 + b"\n"
        began_s = time.monotonic()
        while not lines and time.monotonic() < began_s + 20:
            time.sleep(0.01)
        yield f"{len(lines)}\n".encode()

    fake('while read -r line; do echo "got ${#line}"; done').run(
        [], soon(), feed=chunks(), on_line=lines.append
    )
    assert lines == ["got 100000\n", "got 1\n"]


def test_a_feed_longer_than_it_reads_blocks_nothing(fake: Fake) -> None:
    """Nor one of an ffmpeg that is killed at its deadline; its failure is the error."""
    fake("head -c 10 > /dev/null").run([], soon(), feed=repeat(bytes(100_000)))
    with pytest.raises(UnusableFootage, match="status 3"):
        fake("exit 3").run([], soon(), feed=repeat(bytes(100_000)))
    with pytest.raises(DeadlineExceeded):
        fake("sleep 60").run([], soon(0.3), feed=repeat(bytes(100_000)))


def test_an_error_of_a_feed_is_raised_at_the_end(fake: Fake) -> None:
    """What it made before is no whole input."""

    def chunks() -> Iterator[bytes]:
        yield b"one"
        raise KeyError("two")

    with pytest.raises(KeyError, match="two"):
        fake("cat > /dev/null").run([], soon(), feed=chunks())


def test_an_error_of_on_line_is_raised_at_the_end(fake: Fake) -> None:
    """The output is drained all the same."""

    def fail(line: str) -> None:
        raise KeyError(line)

    with pytest.raises(KeyError):
        fake("head -c 1000000 /dev/zero").run([], soon(), on_line=fail)


def test_the_end_is_noticed_at_once(fake: Fake) -> None:
    """Ten short runs do not wait for a polling interval each."""
    began = time.monotonic()
    for _ in range(10):
        fake("exit 0").run([], soon())
    assert time.monotonic() - began < 1
