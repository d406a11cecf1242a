"""What schemathesis cannot know: what a form can say, and how pictures are read."""

import schemathesis

BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF", b"II*\0", b"MM\0*", b"BM")

# Fields of forms that take texts, as often as one likes.
TEXTS = ("caption", "picture", "like", "add", "subtract")


@schemathesis.hook
def filter_case(context, case):
    """In a form everything is text, so that a text of another type does not exist: whatever is sent for it is one."""
    if case.media_type != "multipart/form-data" or not isinstance(case.body, dict):
        return True
    texts = [case.body[name] for name in TEXTS if name in case.body]
    return all(isinstance(some, list) and all(isinstance(one, str) for one in some) for some in texts)


def picture(context, response):
    if not response.content.startswith(BEGINNINGS):
        raise ValueError(f"no picture: {response.content[:16]!r}")
    return response.content.decode("latin-1")


for kind in ["image/jpeg", "image/png", "image/gif", "image/webp", "image/tiff", "image/bmp", "image/*"]:
    schemathesis.deserializer(kind)(picture)
