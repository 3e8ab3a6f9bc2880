"""A file's name as it may be shown and saved: whatever the sender called it, it stays one name."""

import re
import unicodedata

MAX_LENGTH = 80
EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "application/pdf": "pdf",
}


def safe_filename(said: str, media_type: str) -> str:
    """The last part of what the sender said, without what could mislead, by its true ending.

    No folders, no quotes, and no letter that cannot be seen or turns the reading direction
    (Unicode categories C and Zl, Zp), so that "gpj.exe" never reads as a photo.
    """
    default = "Document" if media_type == "application/pdf" else "Photo"
    return f"{safe_stem(said) or default}.{EXTENSIONS[media_type]}"


def safe_stem(said: str) -> str:
    """The same without an ending, for a file that is not known to be anything; empty for none."""
    # Browsers send a quote and a line's end so (WHATWG, multipart/form-data).
    last = re.split(r"[/\\]", re.sub(r"%(22|0A|0D)", " ", said))[-1]
    seen = "".join(one for one in last if unicodedata.category(one)[0] != "C")
    plain = " ".join(re.sub(r"[\"'`<>|:*?%;\u2028\u2029]", " ", seen).split())
    return re.sub(r"\.\w{1,5}$", "", plain).strip(" .")[:MAX_LENGTH]
