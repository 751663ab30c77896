"""The Lambda function's process: a batch a line on its standard input, an answer a line back."""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from entrypoints.aws_lambda import handler, service
from entrypoints.lambda_context import HandlerContext
from tests.campaigns.kills.protocol import ANSWER, READY

PAGE_BYTES = resource.getpagesize()


def write(kind: str, payload: object) -> None:
    sys.stdout.write(kind + json.dumps(payload) + "\n")
    sys.stdout.flush()


def limit(file_bytes: int | None, memory_bytes: int | None) -> None:
    """Limit file sizes and memory of this process and of those it starts."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most if file_bytes is None else file_bytes, most))
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * PAGE_BYTES
    bound = most if memory_bytes is None else used + memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (bound, most))


def main() -> None:
    service.handle_batch()  # as in a process that has served before
    write(READY, None)
    for line in sys.stdin:
        order: dict[str, Any] = json.loads(line)
        limit(order["fileBytes"], order["memoryBytes"])
        began_s = time.monotonic()
        context = HandlerContext(began_s + order["leftInS"], "request")
        answer = handler({"Records": order["records"]}, context)  # type: ignore[arg-type]
        write(ANSWER, {"answer": answer, "tookInS": time.monotonic() - began_s})


if __name__ == "__main__":
    main()
