"""A verification code on a phone: requested, received and entered."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, CustomerPhone


def test_code_shows_all_requests_and_a_new_link(
    martin: CustomerPhone, open_page: Callable[..., Page], check_accessible: Callable[[Page], None]
) -> None:
    """With the keyboard alone, and each page presentable."""
    reference, phone = martin
    page = open_page(**PHONE)
    page.goto(re.search(r"http\S+", phone.reads("application"))[0])
    page.get_by_role("link", name="All my requests").click()
    expect(page.get_by_text(f"the number ending in {phone.number[-2:]}")).to_be_visible()
    check_accessible(page)
    page.get_by_role("button", name="Send me a code").press("Enter")
    code = re.search(r"\d{6}", phone.reads("Your code is"))[0]
    field = page.get_by_label("Code")
    expect(field).to_be_focused()
    page.keyboard.type("000000" if code != "000000" else "111111")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This code does not work.")
    check_accessible(page)
    field.fill(code)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="All my requests")).to_be_visible()
    expect(page.get_by_role("listitem")).to_contain_text(reference)
    check_accessible(page)
    page.get_by_role("link", name="We have your application").click()
    page.get_by_role("link", name="Text and e-mail settings").click()
    expect(page.get_by_role("button", name="Forget this browser")).to_be_visible()
    check_accessible(page)
    page.get_by_role("link", name="Get a new link, and end this one").click()
    check_accessible(page)
    before = page.url
    page.get_by_role("button", name="Take this link back").click()
    expect(page.get_by_role("status")).to_contain_text("The old link opens nothing any more")
    assert page.url.partition("?")[0] != before
    assert page.url.rpartition("/")[0] in phone.reads("your new link")
