"""The staff page in a browser: an absence is set and cancelled."""

from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import Page, expect

from portal.business_time import now
from tests.browser.conftest import OpenDeskPage


def test_time_off_is_set_and_cancelled(
    desk: OpenDeskPage, check_accessible: Callable[[Page], None]
) -> None:
    """One that is to come, so that nobody else's day at this office changes."""
    uma = desk("uma", "/people")
    expect(uma.get_by_text("You are available.")).to_be_visible()
    check_accessible(uma)
    begins = now() + timedelta(days=200)
    uma.get_by_label("First day away").fill(f"{begins:%Y-%m-%d}")
    uma.get_by_label("Back on").fill(f"{begins - timedelta(days=1):%Y-%m-%d}")
    uma.get_by_role("button", name="Set out of office").click()
    expect(uma.get_by_role("alert")).to_contain_text("back before they are away")
    expect(uma.get_by_label("First day away")).to_have_value(f"{begins:%Y-%m-%d}")
    uma.get_by_label("Back on").fill(f"{begins + timedelta(days=5):%Y-%m-%d}")
    uma.get_by_label("Cover").select_option("Tess Sales")
    uma.get_by_role("button", name="Set out of office").click()
    expect(uma.get_by_text("You are away from")).to_contain_text("cover: Tess Sales")
    check_accessible(uma)
    uma.get_by_role("button", name="Cancel time off").click()
    expect(uma.get_by_text("You are available.")).to_be_visible()
