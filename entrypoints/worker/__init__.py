"""The worker: the Lambda function's work for those who do not run Lambda.

One process stands over N slots (`loop.py`). Each slot has a thread here and a process of its own
(`child.py`), which imports `aws_lambda` and hands it one message at a time: the same handler, in
the same isolation as in Lambda. Processes, since only a process can be ended: at its timeout, when
the message can no longer be kept hidden, or when the worker must go. And it is ended *before* its
message is released. docs/decisions/0008-worker.md says why that matters.

    receive -> keep hidden -> hand over -> keep hidden ... -> delete | let rest | give back

A slot asks for a message when it is free, never before, so nothing is held that nobody works on.
"""
