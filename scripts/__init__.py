"""Tools that make runs."""
