"""Input that somebody made to hurt: media files, messages, answers, names."""
