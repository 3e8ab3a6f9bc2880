"""The inbox in a browser: keyboard shortcuts, and two colleagues in one conversation."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import CustomerPhone, OpenDeskPage
from tests.browser.product import ProductStack


def test_inbox_is_usable_by_keyboard(
    product: ProductStack,
    martin: CustomerPhone,
    desk: OpenDeskPage,
    check_accessible: Callable[[Page], None],
) -> None:
    """A text appears by itself; j and Enter open it with the box ready; c logs a call."""
    reference, phone = martin
    tess = desk("tess", "/inbox?show=mine")
    row = tess.get_by_role("listitem").filter(has_text=reference)
    expect(row).to_have_count(0)
    phone.writes("Is my form all right?")
    expect(row).to_contain_text("Is my form all right?", timeout=5_000)
    check_accessible(tess)
    tess.keyboard.press("j")
    row.get_by_role("link").focus()
    tess.keyboard.press("Enter")
    box = tess.get_by_label("Reply", exact=True)
    expect(box).to_be_focused()
    box.press_sequentially("jc?")
    expect(box).to_have_value("jc?")
    check_accessible(tess)
    tess.get_by_role("heading", level=1).click()
    tess.keyboard.press("c")
    tess.keyboard.press("4")
    expect(tess.get_by_role("radio", name="Complaint")).to_be_checked()
    tess.keyboard.press("Enter")
    expect(tess.get_by_role("status").first).to_contain_text("Saved")
    expect(box).to_have_value("jc?")
    tess.keyboard.press("r")
    expect(box).to_be_focused()
    tess.get_by_role("heading", level=1).click()
    tess.keyboard.press("?")
    tess.get_by_role("button", name="Disable").click()
    expect(tess.get_by_text("Disabled in this browser.")).to_be_visible()
    check_accessible(tess)
    tess.keyboard.press("i")
    expect(tess).to_have_url(re.compile("/desk/keys$"))


def test_new_text_does_not_move_the_focus(
    product: ProductStack, martin: CustomerPhone, desk: OpenDeskPage
) -> None:
    """The reply box has the focus at first; a refresh does not give it back to the box."""
    reference, phone = martin
    tess = desk("tess", f"/requests/{reference}?from=inbox")
    expect(tess.get_by_label("Reply", exact=True)).to_be_focused()
    tess.get_by_label("Reply", exact=True).press_sequentially("All is well.")
    tess.get_by_label("Search requests").press_sequentially("Mart")
    # htmx moves the focus after the new part is visible, and then says so.
    tess.evaluate("addEventListener('htmx:load', () => (document.body.dataset.settled = ''))")
    phone.writes("Are you still there?")
    expect(tess.get_by_text("Are you still there?", exact=True)).to_be_visible()
    expect(tess.locator("body[data-settled]")).to_be_attached()
    expect(tess.get_by_label("Search requests")).to_be_focused()


def test_colleagues_see_each_other_typing(
    product: ProductStack, martin: CustomerPhone, desk: OpenDeskPage
) -> None:
    """Within seconds; and whoever is overtaken is asked before a second answer goes."""
    reference, _ = martin
    tess, uma = desk("tess", f"/requests/{reference}"), desk("uma", f"/requests/{reference}")
    expect(tess.get_by_text("Uma Under is here")).to_be_visible()
    tess.get_by_label("Reply", exact=True).press_sequentially("All is well.")
    expect(uma.get_by_text("Tess Sales is writing")).to_be_visible()
    uma.close()
    expect(tess.get_by_text("Uma Under is here")).to_be_hidden()
