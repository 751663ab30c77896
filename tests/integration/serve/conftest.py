"""Three files of ten seconds of two cameras, served."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.footage import Recording
from tests.support.recorders import write_frigate
from tests.support.served import Served, served


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("THUMBNAIL_SIZES", "160")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def dvr(tmp_path: Path, films: Path) -> tuple[Path, list[Recording]]:
    return tmp_path / "dvr", write_frigate(tmp_path / "dvr", films)


@pytest.fixture
def server(dvr: tuple[Path, list[Recording]], tmp_path: Path) -> Iterator[Served]:
    with served(dvr[0], tmp_path / "clips") as running:
        yield running
