"""`camclip demo`: a sample camera, a clip of it, and a report."""
