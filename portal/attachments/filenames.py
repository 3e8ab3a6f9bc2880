"""Safe file names, for showing and saving."""

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
    """The last part of the sender's file name, made safe, with the extension of its media type.

    It has no folders, no quotes, and no invisible or direction-changing characters (Unicode
    categories C, Zl and Zp), so "gpj.exe" never reads as a photo.
    """
    default = "Document" if media_type == "application/pdf" else "Photo"
    return f"{safe_stem(said) or default}.{EXTENSIONS[media_type]}"


def safe_stem(said: str) -> str:
    """The same without an ending, for a file that is not known to be anything; empty for none."""
    # Browsers send a quote and a line's end so (WHATWG, multipart/form-data).
    last = re.split(r"[/\\]", re.sub(r"%(22|0A|0D)", " ", said))[-1]
    seen = "".join(item for item in last if unicodedata.category(item)[0] != "C")
    plain = " ".join(re.sub(r"[\"'`<>|:*?%;\u2028\u2029]", " ", seen).split())
    return re.sub(r"\.\w{1,5}$", "", plain).strip(" .")[:MAX_LENGTH]
