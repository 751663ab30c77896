"""How the whole suite runs."""

from hypothesis import settings

# The same examples every time, however busy the machine: `make fuzz` looks for new ones.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("fuzz", deadline=None, max_examples=5_000)
settings.load_profile("steady")
