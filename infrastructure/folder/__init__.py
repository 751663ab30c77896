"""All ports except the transcoder on a plain folder, for a laptop.

::

    cameras.json                       {"<camera id>": {"alias": "<alias>"}, ...}; may be missing
    recordings/<alias>/*.mp4           the name holds the start: pier.20180815T140019.mp4
    clips/<camera id>/<clip id>.mp4    with <clip id>_<width>.jpg, <clip id>.json (manifest)
                                       and .<clip id>.<inode>.json (metadata)
    status/<clip id>.json              the last report; <clip id>.deleted marks a deleted clip
    notifications.jsonl                one line per notification
    queue/<due ms>-<message id>.json   a delayed request; queue/dead/ holds dead letters

The recordings may be elsewhere, in the layout of a recorder (`recording_tree`): they are only read.

Files appear whole under their names: they are written under another name, flushed, and moved. A
clip is committed by a hard link, which fails if the name exists. Its metadata is written before,
under the number of its inode, so that no crash leaves a clip without metadata, and the loser of a
race never describes the winner's clip.

Where there are no hard links (exFAT, SMB, FUSE), the clip's name is claimed by creating an empty
file exclusively, which the clip then replaces; the metadata is written in between, under the clip's
size, because inodes may change there. An empty file is never taken for a clip.
"""
