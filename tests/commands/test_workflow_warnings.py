"""Warnings of `kept workflow` about texts that nobody but Kept can change are one line."""

from pathlib import Path

import pytest

from portal.commands.workflows import check_workflows
from portal.errors import PortalError
from portal.settings import Settings

LONG_ORIGIN = "https://status.long-name.example"


def test_texts_of_the_product_are_one_warning_also_when_strict(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, KEPT_DATA_DIR=tmp_path, KEPT_PUBLIC_URL=LONG_ORIGIN)
    lines = check_workflows(settings, ["device-repair"])
    about_kept = [line for line in lines if "of Kept itself" in line]
    assert len(about_kept) == 1
    assert "KEPT_PUBLIC_URL" in about_kept[0]
    assert not [line for line in lines if "templates/sms" in line]
    with pytest.raises(PortalError) as raised:
        check_workflows(settings, ["device-repair"], is_strict=True)
    assert "templates/sms" not in str(raised.value), "nobody could put it right"
