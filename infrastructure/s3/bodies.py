"""Bodies of S3's answers, whose reading can be ended from another thread.

The timeout of a read starts again with each byte, so a body that arrives byte by byte never reaches
it.
"""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from attrs import define

from domain.errors import DeadlineExceeded

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from urllib3 import HTTPResponse


@define
class BodyReader:
    """Reads the bodies of one call's answers, one after the other."""

    is_aborted: bool = False
    _stream: "HTTPResponse | None" = None

    def read(self, body: "StreamingBody") -> bytes:
        """Return the whole body; the connection is closed if that fails or is aborted."""
        with body as entered:
            stream: Any = entered  # urllib3's answer, whatever the stubs of botocore say
            self._stream = stream
            if self.is_aborted:
                raise DeadlineExceeded("The call was aborted at its deadline.")
            return bytes(stream.read())

    def abort(self) -> None:
        """End the read that waits, and let none follow."""
        self.is_aborted = True
        if self._stream:
            with suppress(OSError, RuntimeError, ValueError):  # it has just ended by itself
                self._stream.shutdown()
