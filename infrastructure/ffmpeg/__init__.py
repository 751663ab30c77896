"""The transcoder: ffmpeg encodes, decodes and makes stills; the MP4 around it is ours."""
