"""A row has an id after it is saved, and none before."""

import re

import pytest

from portal.models import Department
from portal.models.columns import saved_id
from tests.support.processes import ROOT


def test_unsaved_row_has_no_id():
    with pytest.raises(ValueError, match="A Department has no id before it is saved"):
        saved_id(Department(key="sales", name="Sales"))
    assert saved_id(Department(id=7, key="sales", name="Sales")) == 7


def test_missing_id_is_never_zero():
    files = [*ROOT.glob("portal/**/*.py"), *ROOT.glob("workers/**/*.py")]
    assert len(files) > 300
    assert [str(file) for file in files if re.search(r"\.id or 0\b", file.read_text())] == []
