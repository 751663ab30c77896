"""How the messages of a batch are processed: by Powertools in the function, else by a loop."""

from collections.abc import Mapping
from typing import Any

import pytest

from entrypoints.partial_batch import process_partially
from entrypoints.sqs_batch import ProcessRecords, process_each


@pytest.mark.parametrize("process", [process_each, process_partially])
@pytest.mark.parametrize("failing", [(), ("a",), ("b", "c"), ("a", "b", "c")])
def test_each_message_is_handled_and_the_failed_ones_are_returned(
    process: ProcessRecords, failing: tuple[str, ...]
) -> None:
    """In their order, whatever they raise, even if all of them fail."""
    handled: list[str] = []

    def handle(record: Mapping[str, Any]) -> None:
        handled.append(record["messageId"])
        assert record.get("body") == "x"
        if record["messageId"] in failing:
            raise RuntimeError

    records = [{"messageId": name, "body": "x", "eventSource": "aws:sqs"} for name in "abc"]
    answer = process(records, handle)
    assert handled == ["a", "b", "c"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": name} for name in failing]}


@pytest.mark.parametrize("process", [process_each, process_partially])
def test_an_empty_batch_has_no_failures(process: ProcessRecords) -> None:
    """Lambda sends none, but a command may."""
    assert process([], lambda _: None) == {"batchItemFailures": []}


@pytest.mark.parametrize("process", [process_each, process_partially])
def test_an_interrupt_ends_the_batch(process: ProcessRecords) -> None:
    """It is no failure of a message."""

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        process([{"messageId": "a", "eventSource": "aws:sqs"}], interrupt)
