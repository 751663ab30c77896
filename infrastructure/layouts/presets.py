"""The layouts of known recorders, and where their own code writes such paths.

``camclip``
    The UTC start is the part of the name before its suffix, and after its last dot
    (`infrastructure/camera_api/names.py`), in the folder of a camera, below `recordings/` or not.
``mediamtx``
    `recordPath: ./recordings/%path/%Y-%m-%d_%H-%M-%S-%f`
    (bluenviron/mediamtx, docs/2-usage/07-record.md), written by `Path.Encode` in
    internal/recordstore/path.go at 384cc661147dc022ebb06f87c5482c5a7bf6a99a: `%f` are microseconds,
    the times are local (`time.Local` in `Decode`), and a path may have slashes.
``frigate``
    `move_segment` in frigate/record/maintainer.py (blakeblackshear/frigate at
    0140adf8e1711869927f1dc263e8a0b4bcc871f1): the folder `%Y-%m-%d/%H`, the camera's, then the file
    `%M.%S.mp4`, all in UTC. Files of `MAX_SEGMENT_DURATION` seconds, 600, or longer are discarded
    (frigate/const.py at 0111c57ff0185f12de26eff14f9bddaef18fda17).
``dashcam``
    BlackVue's names, such as `20260501_120010_NF.mp4`, as `filename_re` in blackvuesync.py reads
    them (acolomba/blackvuesync at 00d732b9c2ecb6499bc47685ef27796a2732c664): local start, type,
    then the direction, which is taken for the camera: F front, R rear, I interior, O optional; a
    substream is a camera of its own, such as FS. `get_filepath` there adds a folder per group.
``ffmpeg``
    `-f segment -strftime 1`: `set_segment_filename` in libavformat/segment.c (FFmpeg/FFmpeg at
    f4a2d722aa8f666e863476b95e1e2cbe92d8146b) expands a pattern of the user's with the local time.
    Usual ones: `%Y%m%dT%H%M%S` (omegahiro/pi-nvr, scripts/record.sh at
    3aaf85f8f61d76bd9cac83e0fade813785416897), a folder per camera with `%Y-%m-%d-%H-%M-%S`
    (squiddity/nvr, recorder/recorder.sh at bb028eafadd9b6f27122449d47ac0e3f6628322a), and the
    camera's name before the time.
``strftime``
    Any other pattern, which the user writes.
"""

from infrastructure.layouts.layout import layout_of

STRFTIME = "strftime"

FFMPEG_TIMES = (
    "%Y-%m-%d_%H-%M-%S",
    "%Y-%m-%d-%H-%M-%S",
    "%Y-%m-%dT%H-%M-%S",
    "%Y-%m-%d_%H.%M.%S",
    "%Y%m%d-%H%M%S",
    "%Y%m%d_%H%M%S",
    "%Y%m%dT%H%M%S",
    "%Y%m%d%H%M%S",
    "%s",
)
FFMPEG_PLACES = ("{camera}/", "{camera}/*", "{camera}_", "{camera}-", "")

PRESETS = (
    layout_of(
        "camclip",
        "recordings/{camera}/[*.]%Y%m%dT%H%M%S[%f]",
        "{camera}/[*.]%Y%m%dT%H%M%S[%f]",
        zone="UTC",
    ),
    layout_of("mediamtx", "{camera}/%Y-%m-%d_%H-%M-%S-%f"),
    layout_of("frigate", "%Y-%m-%d/%H/{camera}/%M.%S", zone="UTC", max_recording_ms=600_000),
    layout_of("dashcam", "%Y%m%d_%H%M%S_?{camera}", "*/%Y%m%d_%H%M%S_?{camera}"),
    layout_of("ffmpeg", *(place + time for place in FFMPEG_PLACES for time in FFMPEG_TIMES)),
)
"""In the order in which they are guessed."""
PRESET_NAMES = (*(preset.name for preset in PRESETS), STRFTIME)
