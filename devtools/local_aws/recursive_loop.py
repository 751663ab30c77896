"""Lambda's recursive-loop detection: a chain of invocations, counted in the trace header.

The invocation's header (`_X_AMZN_TRACE_ID`) goes with every call that botocore makes, and SQS keeps
that of SendMessage with the message, as `AWSTraceHeader` (X-Ray developer guide, "Amazon SQS and
AWS X-Ray"). After about 16 invocations of one chain Lambda drops the next one, unless the
function's RecursiveLoop is Allow (Lambda developer guide, "Use Lambda recursive loop detection to
prevent infinite loops").

AWS's Compute Blog names the counter `Lineage`, but not its form. Messages that functions sent have
`Lineage=1:fe460cdd:0`: taken here for a version, the function, and how many invocations came before
the one that sent it. That a batch continues its longest chain is an assumption, too.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from uuid import uuid4

MAX_INVOCATIONS = 16
FUNCTION_ID = "c1a3c119"
ROOT = re.compile(r"(?:^|;)Root=([^;]+)")
LINEAGE = re.compile(rf"(?:^|;)Lineage=\d+:{FUNCTION_ID}:(\d+)(?:;|$)")


class RecursiveLoop(StrEnum):
    """A function's setting, as PutFunctionRecursionConfig has it."""

    ALLOW = "Allow"
    TERMINATE = "Terminate"
    """AWS's default."""


def invocations_before(trace_header: str) -> int:
    """Return how many invocations led to a message with this trace header; 0 if it has none."""
    lineage = LINEAGE.search(trace_header)
    return int(lineage[1]) + 1 if lineage else 0


def is_loop(trace_header: str) -> bool:
    """Return whether Lambda takes a message with this trace header for part of a loop."""
    return invocations_before(trace_header) >= MAX_INVOCATIONS


def invocation_trace(message_headers: Iterable[str] = ()) -> str:
    """Return the trace header of the invocation with these messages' trace headers."""
    message_header = max(message_headers, key=invocations_before, default="")
    root = ROOT.search(message_header)
    return ";".join(
        (
            f"Root={root[1] if root else f'1-{uuid4().hex[:8]}-{uuid4().hex[:24]}'}",
            f"Parent={uuid4().hex[:16]}",
            "Sampled=0",
            f"Lineage=1:{FUNCTION_ID}:{invocations_before(message_header)}",
        )
    )
