"""Programs that search for counterexamples."""

import sys


def print_now(text: str) -> None:
    """Print without buffering."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
