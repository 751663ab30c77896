"""Random cuts of numbered recordings, each judged in full.

A cut is drawn from its seed alone, so a failure is reproduced by `--only SEED`.
`python -m tests.campaigns.fuzz_cuts` runs thousands; `make test` the first of every third kind.
"""
