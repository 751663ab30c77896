"""MP4 in pure Python: the sample index of a recording, and writers of excerpts and clips."""
