"""The status page in every state: accessible, on every screen and on paper."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from portal.branding.color import Accent
from portal.branding.theme import Theme
from portal.tracking.status_page.view_models import StatusPage
from tests.browser.conftest import PHONE
from tests.browser.static_pages import show_state
from tests.support.status_page.states import STATES

FIRST_VIEW = "h1, .who, .next, .track i, .promise, .ask *, .turn, .note, .timeline li:not(.fold li), summary, .lines li, .write > *"


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """A phone."""
    return open_page(**PHONE)


@pytest.mark.parametrize("state", STATES)
def test_page_passes_accessibility_checks(
    page: Page, check_accessible: Callable[[Page], None], state: str
) -> None:
    """Axe finds nothing by day or by night, and nothing stands out on the smallest phone."""
    show_state(page, STATES[state])
    check_accessible(page)


def test_first_screen_shows_state_owner_next_step_and_action(page: Page) -> None:
    """What is so now, who has it, what is next and by when, and the one thing to do: no scrolling."""
    for name, state in STATES.items():
        show_state(page, state)
        (bar,) = places(page, ".write")
        # Three open promises, or an item with its field, come before the last of it.
        last = "" if name in ("promises", "papers needed") else ", .next, .turn"
        last = "" if name == "to correct" else last
        for place in places(page, f"h1, .who, .ask{last}"):
            assert place["y"] + place["height"] <= bar["y"], name


@pytest.mark.parametrize("screen", [(390, 844), (1280, 800)])
def test_nothing_moves_when_the_second_style_sheet_arrives(
    page: Page, screen: tuple[int, int]
) -> None:
    """The first view is whole in the first packets: what comes later changes no place in it."""
    page.set_viewport_size({"width": screen[0], "height": screen[1]})
    for name, state in STATES.items():
        show_state(page, state, with_styles=False)
        first = places(page, FIRST_VIEW)
        show_state(page, state)
        assert places(page, FIRST_VIEW) == first, name


def test_touch_targets_are_large_enough(page: Page) -> None:
    for name, state in STATES.items():
        show_state(page, state)
        for place in places(page, "main button, main .button, main summary"):
            assert min(place["width"], place["height"]) >= 44, name
        for place in places(page, "footer a, footer button, main a:not(.button)"):
            assert place["height"] >= 24, name


@pytest.mark.parametrize("state", ["in work", "side by side", "promises", "a question"])
def test_page_fits_every_screen_width(page: Page, state: str) -> None:
    """From a small phone to a desk, in a language that runs the other way; in letters twice as big."""
    show_state(page, replace(STATES[state], locale="ar"))
    browser = page.context.new_cdp_session(page)
    for letters, widths in ((16, (320, 390, 768, 1280)), (32, (390, 768, 1280))):
        browser.send("Page.setFontSizes", {"fontSizes": {"standard": letters}})
        for width in widths:
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_printed_page_is_black_on_white_without_controls(page: Page) -> None:
    """By night too. The sheet leaves no margin in which a browser would print the address."""
    show_state(page, STATES["a question"])
    page.emulate_media(media="print", color_scheme="dark")
    for part in (".write", ".ask", ".foot", ".connection"):
        expect(page.locator(part)).to_be_hidden()
    expect(page.locator("h1")).to_have_css("color", "rgb(0, 0, 0)")
    expect(page.locator("html")).to_have_css("background-color", "rgb(255, 255, 255)")
    rules = "[...document.styleSheets].flatMap((sheet) => [...sheet.cssRules].map((rule) => rule.cssText)).join()"
    assert "@page { margin: 0" in page.evaluate(rules)
    expect(page.locator("body")).not_to_have_css("padding-top", "0px")


def test_page_with_another_accent_is_accessible(
    page: Page, check_accessible: Callable[[Page], None]
) -> None:
    dressed: StatusPage = replace(STATES["a question"], theme=Theme(Accent.read("#c8102e")))
    show_state(page, dressed)
    button = page.get_by_role("button", name="Yes")
    expect(button).to_have_css("background-color", "rgb(200, 16, 46)")
    check_accessible(page)


def test_reduced_motion_is_respected(page: Page) -> None:
    show_state(page, STATES["in work"])
    alive = "document.getAnimations().length"
    assert page.evaluate(alive) > 0
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(alive) == 0


def test_keyboard_focus_is_visible(page: Page) -> None:
    """By the tab key alone: answer first, then the box to write in; each with a ring around it."""
    show_state(page, STATES["a question"])
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        here = page.locator(":focus")
        assert here.evaluate("(part) => getComputedStyle(part).outlineStyle") != "none"
        reached.append(here.evaluate("(part) => part.innerText.trim() || part.placeholder"))
    assert reached[:2] == ["Yes", "No"]
    assert reached[-2:] == ["Write to us", "Send"]


def places(page: Page, which: str) -> list[dict[str, float]]:
    """Where these parts of the page stand on the glass."""
    look = "(parts) => parts.map((part) => part.getBoundingClientRect().toJSON())"
    found: list[dict[str, float]] = page.locator(which).evaluate_all(look)
    return found
