"""The ways in: Lambda, worker and command line, and the one place that wires them."""
