"""The sample indexes of the files that were opened last."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from attrs import define, field

from infrastructure.mp4.index import SampleIndex

MAX_KNOWN = 16
"""An hour of 30 frames a second takes about 7 MB."""

Key = tuple[str, str]
"""A file's path and version."""


@define
class KnownIndexes:
    """Indexes that need not be read again as long as their files do not change.

    A cut opens each file twice, a viewer many times: an hour takes 0.2 s to read.
    """

    max_known: int = MAX_KNOWN
    _known: "OrderedDict[Key, SampleIndex]" = field(factory=OrderedDict, repr=False)
    _lock: Lock = field(factory=Lock, repr=False)

    def get(self, key: Key, read: Callable[[], SampleIndex]) -> SampleIndex:
        """Return the index of that key, read now if it is not known; raises what `read` does."""
        with self._lock:
            if found := self._known.get(key):
                self._known.move_to_end(key)
                return found
        found = read()
        with self._lock:
            self._known[key] = found
            while len(self._known) > self.max_known:
                self._known.popitem(last=False)
        return found
