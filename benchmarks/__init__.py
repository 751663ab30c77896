"""The cost of a clip, compared with the 2018 pipeline: `python -m benchmarks`; see README.md."""
