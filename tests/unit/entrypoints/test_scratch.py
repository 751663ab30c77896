"""Work folders leave nothing behind."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from infrastructure.scratch import PREFIX, sweep, work_folder

KEEPER = """
import sys, time
from pathlib import Path
from infrastructure.scratch import work_folder
with work_folder(Path(sys.argv[1])) as folder:
    (folder / "window.mp4").write_bytes(b"x")
    print(folder, flush=True)
    time.sleep(60)
"""


def test_a_work_folder_is_gone_afterwards(tmp_path: Path) -> None:
    """With all that is in it, whether the work succeeded or not."""
    scratch = tmp_path / "not" / "there" / "yet"
    with pytest.raises(RuntimeError), work_folder(scratch) as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "window.mp4").write_bytes(b"x")
        raise RuntimeError
    assert list(scratch.iterdir()) == []


def test_a_killed_process_leaves_a_folder_that_the_next_one_sweeps(tmp_path: Path) -> None:
    """While the process lives its folder is let be; other people's folders always are."""
    (tmp_path / "of-another-program").mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", KEEPER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as keeper:
        assert keeper.stdout
        folder = Path(keeper.stdout.readline().strip())
        assert sweep(tmp_path) == 0
        assert (folder / "window.mp4").exists()
        keeper.send_signal(signal.SIGKILL)
        keeper.wait()
    assert folder.exists()
    assert sweep(tmp_path) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["of-another-program"]


def test_two_at_once_keep_apart(tmp_path: Path) -> None:
    """Each has its own folder, and sweeping takes neither."""
    with work_folder(tmp_path) as one, work_folder(tmp_path) as other:
        assert one != other
        assert sweep(tmp_path) == 0
        assert one.is_dir()
        assert other.is_dir()


def test_a_folder_that_was_never_locked_is_swept(tmp_path: Path) -> None:
    """Its process was killed between making and locking it."""
    (tmp_path / f"{PREFIX}x1").mkdir()
    assert sweep(tmp_path) == 1
    assert list(tmp_path.iterdir()) == []


def test_sweeping_never_takes_a_folder_that_is_being_made(tmp_path: Path) -> None:
    """However often it sweeps between the steps of making one."""
    over = Event()

    def keep_sweeping() -> None:
        while not over.is_set():
            sweep(tmp_path)

    with ThreadPoolExecutor(1) as sweeper:
        swept = sweeper.submit(keep_sweeping)
        for _ in range(300):
            with work_folder(tmp_path) as folder:
                (folder / "window.mp4").write_bytes(b"x")
        over.set()
        swept.result()
    assert list(tmp_path.iterdir()) == []
