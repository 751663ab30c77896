"""The deployed function under hundreds of requests, with faults: nothing lost, nothing grows.

`python -m tests.campaigns.soak --minutes 10 --seed 0` prints a table; it exits with 1 if a promise
was broken.
"""
