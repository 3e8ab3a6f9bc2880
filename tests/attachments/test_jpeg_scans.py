"""The scans of a JPEG are counted before it is decoded."""

from portal.attachments.pictures import MAX_JPEG_SCANS, count_jpeg_scans
from tests.support.sample_images import photo


def test_scans_of_thumbnails_and_trailers_do_not_count():
    """A photo with a progressive thumbnail in its metadata, and another photo behind its end."""
    progressive = photo(progressive=True)
    scans = count_jpeg_scans(progressive)
    assert 1 < scans <= MAX_JPEG_SCANS
    exif = b"\xff\xe1" + (len(progressive) + 2).to_bytes(2, "big") + progressive
    jpeg = progressive[:2] + exif + progressive[2:] + progressive * 9
    assert count_jpeg_scans(jpeg) == scans
    assert count_jpeg_scans(photo()) == 1
    assert count_jpeg_scans(b"\xff\xd8\xff" * 10) == 0
