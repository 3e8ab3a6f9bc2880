"""A promise is previewed while it is typed, and the page does not move."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import CustomerPhone, OpenDeskPage

PLACE = "(it) => it.getBoundingClientRect().top + window.scrollY"


def test_commitment_is_previewed_while_typing(
    martin: CustomerPhone, desk: OpenDeskPage, check_accessible: Callable[[Page], None]
) -> None:
    """The button then promises just that; it stands in the list, and the line is empty again."""
    reference, _ = martin
    tess = desk("tess", f"/requests/{reference}")
    below = tess.get_by_text("Activity log")
    before = below.evaluate(PLACE)
    line = tess.get_by_label("New commitment")
    line.press_sequentially("call back in 2 hours")
    promise = tess.get_by_role("button", name="Save commitment")
    expect(promise).to_be_visible()
    expect(tess.get_by_text("reads “I will call back.")).to_be_visible()
    assert below.evaluate(PLACE) == before
    check_accessible(tess)
    promise.click()
    expect(tess.get_by_role("status").filter(has_text="Commitment saved.")).to_be_visible()
    expect(tess.get_by_role("button", name="Mark done")).to_be_visible()
    expect(line).to_have_value("")
