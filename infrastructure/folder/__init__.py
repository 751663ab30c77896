"""All ports but the transcoder on a plain folder, for a laptop.

::

    cameras.json                       {"<camera id>": {"alias": "<alias>"}, ...}; may be missing
    recordings/<alias>/*.mp4           the name carries the start: pier.20180815T140019.mp4
    clips/<camera id>/<clip id>.mp4    beside it <clip id>_<width>.jpg, <clip id>.json (manifest)
                                       and .<clip id>.<inode>.json, what the clip is
    status/<clip id>.json              the last report; <clip id>.deleted marks a deleted clip
    notifications.jsonl                one line per notification
    queue/<due ms>-<message id>.json   a request that rests; queue/dead/ holds those given up

Files appear whole under their names: they are written under another one, flushed, and moved. A
clip is committed by a hard link, which fails if the name is taken. What describes it is written
before and bears the number of its inode, so that no crash leaves a clip without its description,
and no loser of a race describes the winner's.
"""
