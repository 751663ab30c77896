"""What a clip costs, beside what it cost in 2018. Run `python -m benchmarks`; see README.md."""
