"""A batch that fails in part, by Powertools for AWS Lambda: for the function, not for folders."""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType

from entrypoints.sqs_batch import HandleRecord


def process_partially(records: list[dict[str, Any]], handle: HandleRecord) -> dict[str, Any]:
    """Handle the records of a batch, as ProcessRecords."""

    def named(record: Any) -> None:  # noqa: ANN401 - the processor calls it with `record=`
        handle(record)

    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    with processor(records, named):  # process_partial_response rejects an empty batch
        processor.process()
    return dict(processor.response())
