"""Checks that many clips of the same request are exact, each distinct file only once."""

from hashlib import sha256
from pathlib import Path

from attrs import Factory, frozen

from devtools.footage import Wanted, assert_clip, read_clip


@frozen
class ExactClip:
    """A clip's expected frames, and the files already found to hold them."""

    expected: Wanted
    _checked: set[bytes] = Factory(set)

    def check(self, path: Path) -> None:
        """Assert that a file holds the expected frames; equal bytes are decoded once."""
        digest = sha256(path.read_bytes()).digest()
        if digest not in self._checked:
            assert_clip(read_clip(path), self.expected)
            self._checked.add(digest)
