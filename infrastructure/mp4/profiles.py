"""What people call a video's profile and level (ITU-T H.264, annex A; H.265, annex A)."""

# ruff: noqa: PLR2004 - the numbers are the standards' own

AVC_PROFILES = {
    66: "Baseline",
    77: "Main",
    88: "Extended",
    100: "High",
    110: "High 10",
    122: "High 4:2:2",
    244: "High 4:4:4 Predictive",
}
HEVC_PROFILES = {1: "Main", 2: "Main 10", 3: "Main Still Picture", 4: "Range Extensions"}
CONSTRAINED = 0x40
"""constraint_set1_flag: a Baseline stream is of Constrained Baseline (A.2.1.1)."""


def profile_name(codec: str, config: bytes) -> str | None:
    """Return profile and level, such as "High, level 4.1", by the payload of avcC or hvcC.

    None if there is no such payload, or it is too short.
    """
    if codec in {"avc1", "avc3"} and len(config) >= 4:
        name = AVC_PROFILES.get(config[1], f"profile {config[1]}")
        is_constrained = config[1] == 66 and config[2] & CONSTRAINED
        return f"{'Constrained ' if is_constrained else ''}{name}, level {config[3] / 10:g}"
    if codec in {"hvc1", "hev1"} and len(config) >= 13:
        profile = config[1] & 0x1F
        name = HEVC_PROFILES.get(profile, f"profile {profile}")
        return f"{name}, level {config[12] / 30:g}"
    return None
