"""The samples that decoding may begin at, where the tables are wrong about them.

Some recorders write no `stss`, or mark the first sample of every fragment, though most of these
pictures refer to earlier ones. Their first bytes show what they are. As few samples as possible are
read: each may cost a request.
"""

from collections.abc import Sequence
from heapq import nlargest
from itertools import compress

from infrastructure.mp4.boxes import Read
from infrastructure.mp4.index import Track
from infrastructure.mp4.random_access import Access, access_of, is_codec_known

PREFIX_BYTES = 2048
"""Enough of a sample to find its first slice: x264's longest SEI before it takes 700 bytes."""
KEYFRAME_PREFIX_BYTES = 4096
"""Enough of a keyframe to see its parameter sets and where its first slice begins."""
MAX_SIZE_RATIO = 4
"""Pictures of which none refers to another are of similar sizes: beyond, the smallest is read."""
MAX_FRAMES_BACK = 600
MAX_LARGE_READ = 32
MAX_WALKED_BACK = 300


def read_access(read: Read, video: Track, sample: int) -> Access:
    """Return what may be decoded from a sample on; at most its first 2 KiB are read."""
    if not is_codec_known(video.codec, video.config):
        return Access.UNKNOWN
    prefix = read(video.offsets[sample], min(video.sizes[sample], PREFIX_BYTES))
    return access_of(video.codec, video.config, prefix)


def syncs_before(video: Track, sync: Sequence[int], frames: Sequence[int]) -> list[int]:
    """Return the sync samples that are decoded and shown no later than any of `frames`.

    These are in presentation order.
    """
    first_decoded, first_shown = min(frames), video.pts[frames[0]]
    marked = compress(range(first_decoded + 1), sync)
    return [i for i in marked if video.pts[i] <= first_shown]


def believable_sync(read: Read, video: Track, frames: Sequence[int]) -> bytearray | None:
    """Return which samples are sync samples, for a cut of these frames.

    They are those of the tables, unless one of these proves to be none. None if there is no sample
    that decoding may begin at before the frames.
    """
    marked = syncs_before(video, video.sync, frames)
    if marked and not _is_wrong(read, video, marked[-1], max(frames)):
        return video.sync
    return _found(read, video, frames)


def smallest_if_unlike(video: Track, last_sync: int, last_frame: int) -> int | None:
    """Return the smallest sync sample from `last_sync` on, if another is several times larger."""
    size_of = video.sizes.__getitem__
    others = [*compress(range(last_sync, last_frame + 1), video.sync[last_sync:])]
    smallest = min(others, key=size_of)
    is_alike = size_of(smallest) * MAX_SIZE_RATIO >= max(map(size_of, others))
    return None if is_alike else smallest


def _is_wrong(read: Read, video: Track, last_sync: int, last_frame: int) -> bool:
    if read_access(read, video, last_sync) is Access.NONE:
        return True
    smallest = smallest_if_unlike(video, last_sync, last_frame)
    return smallest is not None and read_access(read, video, smallest) is Access.NONE


def _found(read: Read, video: Track, frames: Sequence[int]) -> bytearray | None:
    """Return the sync samples among the largest samples, and backwards from the first frame.

    None if decoding may begin at none of them.
    """
    first, end = min(frames), max(frames) + 1
    near = range(max(0, first - MAX_FRAMES_BACK), end)
    large = {near.start, *nlargest(MAX_LARGE_READ, near, key=video.sizes.__getitem__)}
    access = {sample: read_access(read, video, sample) for sample in sorted(large)}
    sync = bytearray(len(video.sync))
    for sample, found in access.items():
        sync[sample] = found in {Access.WHOLE, Access.REFRESH}
    if _suffices(video, sync, frames, access):
        return sync
    for sample in range(first, max(-1, first - MAX_WALKED_BACK), -1):
        if sample not in access:
            access[sample] = read_access(read, video, sample)
        sync[sample] = access[sample] not in {Access.NONE, Access.UNKNOWN}
        if sync[sample] and _suffices(video, sync, frames, access):
            return sync
    return None


def _suffices(
    video: Track, sync: Sequence[int], frames: Sequence[int], access: dict[int, Access]
) -> bool:
    """Return whether decoding may begin before the frames: at a refresh, only at the one before."""
    before = [access[i] for i in syncs_before(video, sync, frames)]
    return before.count(Access.REFRESH) > 1 or any(found is not Access.REFRESH for found in before)
