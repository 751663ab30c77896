"""SQS: the queue of requests, a consumer of it, and its dead-letter queue."""
