"""Random cuts of numbered recordings, each judged whole.

A cut is drawn from its seed alone, so a failure is reproduced by `--only SEED`.
`python -m tests.campaigns.fuzz_cuts` runs thousands of them; `make test` runs the first hundred.
"""
