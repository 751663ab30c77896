"""The parts of AWS that the service uses, on one machine: for `camclip local-aws` and for tests.

::

    requests --> queue (moto) --> event_source.py --> runtime.py --> the function's own process
                   | after N deliveries                                  |  S3, SQS, SNS (moto)
                   v                                                     v  camera_api.py
                 dead letters                                          clip, report, notification

`cloud.py` is moto with the buckets, queues and topic of a deployment; `runtime.py` runs a
function's process and `runtime_api.py` answers it; `event_source.py` is Lambda's poller, which
drops the 17th invocation of a chain by `recursive_loop.py` unless that is allowed;
`camera_api.py` stands in for the camera API. The package for Lambda contains none of this, and the
command line imports none of it before the command runs.
"""
