"""The pure core: what a clip is, what footage it needs, and what happens when that is missing."""
