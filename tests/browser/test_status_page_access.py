"""The status page by keyboard, in large letters, in forced colours, and on a bad connection."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import Page, Route, expect

from portal.tracking.status_page.conversation_view import AttachmentLine
from tests.browser.conftest import PHONE, CustomerPhone
from tests.browser.product import ProductStack
from tests.browser.static_pages import show_state
from tests.browser.test_status_page import link_in
from tests.support.status_page.card_page import ASKED, MARTIN
from tests.support.status_page.states import STATES


@pytest.fixture
def phone(open_page: Callable[..., Page]) -> Page:
    """A phone without a page."""
    return open_page(**PHONE)


@pytest.fixture
def page(product: ProductStack, martin: CustomerPhone, open_page: Callable[..., Page]) -> Page:
    """Martin's page, opened from the link in his first text."""
    page = open_page(**PHONE)
    page.goto(link_in(martin[1].reads("We have your application")))
    return page


def test_focus_stays_on_the_button_after_a_message_and_after_a_refusal(page: Page) -> None:
    """The refusal is tied to the field, and gone with the next message."""
    field, send = page.locator("#body"), page.get_by_role("button", name="Send")
    send.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(send).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_attribute("aria-describedby", "refusal")
    field.fill("Is it sent by post?")
    send.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".lines")).to_contain_text("Is it sent by post?")
    expect(send).to_be_focused()
    expect(field).not_to_have_attribute("aria-invalid", "true")
    expect(field).not_to_have_attribute("aria-describedby", "refusal")


def test_sending_and_being_offline_are_announced(page: Page) -> None:
    """A server that hangs, and a device without a connection; the text stays in the field."""
    status, field = page.locator("#connection"), page.locator("#body")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/messages", hold)
    field.fill("Is it sent by post?")
    page.get_by_role("button", name="Send").click()
    expect(status).to_have_text("Sending…")
    held[0].continue_()
    expect(page.locator(".lines")).to_contain_text("Is it sent by post?")
    expect(status).to_have_text("")
    page.unroute_all()
    page.context.set_offline(True)
    expect(status).to_have_text("You are offline. We go on when you are back.")
    field.fill("And when?")
    page.get_by_role("button", name="Send").click()
    expect(status).to_have_text("That did not go through. Please try once more.")
    expect(field).to_have_value("And when?")
    page.context.set_offline(False)
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".lines")).to_contain_text("And when?")
    expect(status).to_have_text("")


def test_field_grows_with_its_text_and_covers_no_half_of_the_screen(phone: Page) -> None:
    show_state(phone, STATES["in work"])
    field = phone.locator("#body")
    height = "(field) => field.getBoundingClientRect().height"
    one_line = field.evaluate(height)
    field.fill("I moved last week.\n" * 4)
    assert field.evaluate(height) > one_line * 1.8
    field.fill("I moved last week.\n" * 40)
    assert phone.locator(".write").evaluate(height) < 844 / 2


@pytest.mark.parametrize("state", ["in work", "a question", "promises"])
def test_in_letters_twice_as_big_nothing_is_covered_or_broken(phone: Page, state: str) -> None:
    """The writing field leaves the edge of the screen, and no word of the headline is cut."""
    show_state(phone, replace(STATES[state], headline="Your application is being checked"))
    browser = phone.context.new_cdp_session(phone)
    browser.send("Page.setFontSizes", {"fontSizes": {"standard": 32}})
    for width in (390, 320):
        phone.set_viewport_size({"width": width, "height": 844})
        expect(phone.locator(".write")).to_have_css("position", "static")
        assert phone.evaluate("document.documentElement.scrollWidth") <= width
        widest = phone.locator("h1").evaluate(WIDEST_WORD)
        assert widest <= phone.locator("h1").evaluate("(h1) => h1.clientWidth"), width


WIDEST_WORD = """(h1) => Math.max(...h1.textContent.trim().split(/\\s+/).map((word) => {
  const probe = document.createElement("h1");
  probe.textContent = word;
  probe.style.cssText = "position: absolute; white-space: nowrap";
  h1.parentNode.append(probe);
  const width = probe.getBoundingClientRect().width;
  probe.remove();
  return width;
}))"""


def test_in_forced_colours_borders_show_every_step(phone: Page) -> None:
    phone.emulate_media(forced_colors="active")
    show_state(phone, STATES["in work"])
    for state, width in (("current", "3px"), ("upcoming", "1px")):
        bar = phone.locator(f".track .{state}").first
        expect(bar).to_have_css("outline-style", "solid")
        expect(bar).to_have_css("outline-width", width)
    expect(phone.locator(".promise").first).to_have_css("outline-style", "solid")


def test_folded_steps_open_by_a_press_and_on_paper(phone: Page) -> None:
    show_state(phone, MARTIN)
    received = phone.locator("#step-received .step")
    expect(received).to_be_hidden()
    phone.emulate_media(media="print")
    assert received.evaluate("(step) => step.checkVisibility({ contentVisibilityAuto: true })")
    phone.emulate_media(media="screen")
    phone.get_by_text("2 steps done").press("Enter")
    expect(received).to_be_visible()


def test_a_note_in_the_customers_bubble_can_be_read(
    phone: Page, check_accessible: Callable[[Page], None]
) -> None:
    photo = replace(ASKED, files=(AttachmentLine("1", needs_code="photo"),))
    show_state(phone, replace(MARTIN, conversation=(photo,)))
    expect(phone.get_by_text("We ask for a code first.")).to_be_visible()
    check_accessible(phone)
