"""AWS as far as the service sees it, on one machine: `camclip local-aws`, and the tests of both.

::

    requests --> queue (moto) --> event_source.py --> runtime.py --> the function's own process
                   | after N deliveries                                  |  S3, SQS, SNS (moto)
                   v                                                     v  camera_api.py
                 dead letters                                          clip, report, notification

`cloud.py` is moto with the buckets, queues and topic of a deployment; `runtime.py` is Lambda's half
of a function's life, Runtime API and all; `event_source.py` is Lambda's poller; `camera_api.py`
stands in for the cameras' API on a folder of recordings. Nothing of this is in the package that
goes to Lambda, and nothing of it is imported before the command runs.
"""
