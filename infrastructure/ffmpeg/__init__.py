"""ffmpeg as a subprocess: it encodes, decodes and makes thumbnails."""
