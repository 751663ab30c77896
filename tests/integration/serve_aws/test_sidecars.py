"""The files next to a clip of the deployed service: links to images, and texts."""

from tests.support.previews import sprite_cues
from tests.support.served_aws import ServedAws

OPTIONS = {"previews": ["sheet", "sprite"], "wallClock": "UTC"}


def test_images_are_links_and_texts_are_here(served: ServedAws) -> None:
    """A link expires, so an index that a player reads names the sprite as it is addressed here."""
    server = served.server
    asked = server.post("/api/v1/clips", served.body(0, 3000, options=OPTIONS))
    assert asked.status_code == 202
    assert served.handle() == 1
    report = server.get(served.name).json()
    names = ["sheet.jpg", "sprite.jpg", "sprite.vtt", "wall-clock.vtt"]
    assert [each["url"] for each in report["sidecars"]] == [f"{served.name}/{n}" for n in names]
    cloud, key = served.world.cloud, served.world.key
    for name in names[:2]:
        moved = server.get(f"{served.name}/{name}", allow_redirects=False)
        assert moved.status_code == 307
        assert f"/{key}.{name}?" in moved.headers["location"]
        image = server.get(f"{served.name}/{name}")
        stored = cloud.s3.get_object(Bucket=cloud.destination, Key=f"{key}.{name}")
        assert stored["ContentType"] == image.headers["content-type"] == "image/jpeg"
        assert image.content == stored["Body"].read()
    index = server.get(f"{served.name}/sprite.vtt")
    assert {cue.image for cue in sprite_cues(index.text)} == {"sprite.jpg"}
    clock = server.get(f"{served.name}/wall-clock.vtt")
    stored = cloud.s3.get_object(Bucket=cloud.destination, Key=f"{key}.vtt")
    assert stored["ContentType"] == "text/vtt; charset=utf-8"
    assert clock.content == stored["Body"].read()
    again = server.get(
        f"{served.name}/sprite.vtt", headers={"If-None-Match": index.headers["etag"]}
    )
    assert again.status_code == 304


def test_what_is_not_there_is_no_link(served: ServedAws) -> None:
    """A wall clock that is not stored is made of the clip."""
    server, cloud = served.server, served.world.cloud
    server.post("/api/v1/clips", served.body(0, 2000, options={"wallClock": "UTC"}))
    served.handle()
    for name in ("sheet.jpg", "sprite.jpg", "sprite.vtt"):
        found = server.get(f"{served.name}/{name}", allow_redirects=False)
        assert (found.status_code, found.json()["type"]) == (404, "/api#not-found")
    text = server.get(f"{served.name}/wall-clock.vtt").text
    cloud.s3.delete_object(Bucket=cloud.destination, Key=f"{served.world.key}.vtt")
    assert server.get(f"{served.name}/wall-clock.vtt").text == text
    assert text.startswith("WEBVTT\n\n00:00:00.000 --> ")
