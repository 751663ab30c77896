"""Libraries that another one imports if they are installed, for uses that it has not here."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from types import ModuleType


class _Hiding(MetaPathFinder):
    """Finds no module of some libraries, nor lets others look for it."""

    def __init__(self, libraries: Sequence[str]) -> None:
        self.libraries = libraries

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - as importlib calls it
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> None:
        """Raise the error of a module that is not installed."""
        if fullname in self.libraries:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


@contextmanager
def hidden(*libraries: str) -> Iterator[None]:
    """Hide libraries in the block: to import one fails, as where it is not installed.

    One that is imported already is not hidden.
    """
    hiding = _Hiding(libraries)
    sys.meta_path.insert(0, hiding)
    try:
        yield
    finally:
        sys.meta_path.remove(hiding)
