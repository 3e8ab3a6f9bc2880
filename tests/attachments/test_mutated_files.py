"""Pictures and PDFs with random changes: accepted without metadata, or refused with a reason."""

import io

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from PIL import Image

from portal.attachments.pictures import check_picture
from portal.attachments.stored_file import FileRefused
from portal.attachments.validation import check_without_decoding
from tests.support.sample_images import PDF, photo, photo_with_gps


def encoded(kind: str) -> bytes:
    """A small picture of this format."""
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(out, kind)
    return out.getvalue()


SAMPLES = [photo(40, 30), photo_with_gps(), encoded("PNG"), encoded("WEBP"), encoded("GIF"), PDF]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good file with up to four changes: bytes replaced, cut, doubled or inserted."""
    data = draw(st.sampled_from(SAMPLES))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        end = draw(st.integers(at, min(len(data), at + 40)))
        middle = draw(st.one_of(st.just(b""), st.just(data[at:end] * 2), st.binary(max_size=8)))
        data = data[:at] + middle + data[end:]
    return data


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(mutated(), st.text(max_size=40))
def test_changed_file_is_accepted_without_metadata_or_refused(data: bytes, name: str) -> None:
    """What is accepted is a type that Kept serves; a picture is encoded anew."""
    try:
        checked = check_without_decoding(data, name) or check_picture(data, name)
    except FileRefused as refused:
        reason = str(refused.refusal.text)
        event(reason)
        return
    assert checked.media_type in {"image/jpeg", "image/png", "image/webp", "application/pdf"}
    if checked.media_type == "application/pdf":
        return
    with Image.open(io.BytesIO(checked.data)) as picture:
        picture.load()
        assert not picture.getexif()


@given(
    look=st.sampled_from(["JPEG", "PNG", "GIF", "WEBP"]),
    place=st.integers(0, 10_000),
    noise=st.binary(min_size=1, max_size=40),
)
@settings(max_examples=150, deadline=None)
def test_any_file_content_is_accepted_or_rejected_without_error(
    look: str, place: int, noise: bytes
) -> None:
    """A broken picture never breaks us; what is taken is a whole picture."""
    data = bytearray(photo(look=look))
    place %= len(data)
    data[place : place + len(noise)] = noise
    try:
        taken = check_picture(bytes(data), "x")
    except FileRefused:
        return
    with Image.open(io.BytesIO(taken.data)) as picture:
        assert picture.size == (taken.width, taken.height)
        picture.load()
