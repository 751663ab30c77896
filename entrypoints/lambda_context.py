"""Lambda's context object, where the handler runs without Lambda."""

import time

from attrs import Factory, frozen


@frozen
class HandlerContext:
    """What the handler and powertools' logger read of Lambda's context."""

    ends_s: float
    """When the function times out, on the monotonic clock."""
    aws_request_id: str
    function_name: str = "camclip"
    memory_limit_in_mb: int = 0
    """0: unlimited."""
    invoked_function_arn: str = Factory(lambda self: self.function_name, takes_self=True)

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds that remain."""
        return max(0, round(1000 * (self.ends_s - time.monotonic())))
