"""The worker: the Lambda function's work without Lambda.

One process supervises N slots (`supervisor.py`). Each slot has a thread here and a process of its
own (`child.py`), which imports `aws_lambda` and handles one message at a time: the same handler, as
isolated as in Lambda. Only a process can be ended: at its timeout, when its message's lease cannot
be extended, or when the worker must stop. It is ended *before* its message becomes visible to
others; docs/decisions/0008-worker.md explains why that matters.

    receive -> extend lease -> handle -> extend lease ... -> delete | delay redelivery | release

A slot receives a message only when it is free, so no message waits behind another.
"""
