"""Martin's card from opening to confirmation, on a real server in a real browser."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import DESK, PHONE, CustomerPhone
from tests.browser.product import Phone, ProductStack, wait_until


class Story:
    """Martin with his phone and his page, and the colleagues who serve him."""

    def __init__(
        self, product: ProductStack, key: str, martin: CustomerPhone, *, scripts: bool
    ) -> None:
        self.product = product
        self.reference, self.phone = martin
        self.scripts = scripts
        self._key = key

    def follow_the_link(self, text: str, page: Page) -> None:
        """Press the link in the first text."""
        link = re.search(rf"{re.escape(self.product.address)}/r/[\w-]{{22}}", text)
        assert link is not None, text
        self.page = page
        page.goto(link[0])
        if self.scripts:
            page.evaluate("window.isTheFirst = true")

    def sees(self, headline: str, *sentences: str) -> None:
        """His page comes to say this by itself; without scripts he loads it again."""
        heading = self.page.get_by_role("heading", level=1, name=headline, exact=True)
        if self.scripts:
            expect(heading).to_be_visible()
            assert self.page.evaluate("window.isTheFirst"), "the page was loaded anew"
        else:
            wait_until(lambda: self.page.reload() and heading.count(), 10)
        for sentence in sentences:
            expect(self.page.locator("main")).to_contain_text(sentence)

    def submit(self, page: Page, button: Locator) -> None:
        """Press it; without scripts, until the page it leads to has come."""
        if self.scripts:
            button.click()
        else:  # a reload in the middle of a navigation fails in Chromium
            with page.expect_navigation():
                button.click()

    def press(self, colleague: Page, button: str) -> None:
        """Press it, be told that it is done, and find it gone."""
        at_the_button = colleague.get_by_role("button", name=button, exact=True)
        self.submit(colleague, at_the_button)
        expect(colleague.get_by_role("status").first).to_be_visible()
        expect(at_the_button).to_have_count(0)

    def gets_news(self, colleague: Page, words: str) -> Locator:
        """What a colleague's open page comes to say by itself."""
        if not self.scripts:
            colleague.reload()
        found = colleague.get_by_text(words).first
        expect(found).to_be_visible()
        return found

    def stands(self) -> tuple[str, str]:
        """Its status, and who owns it."""
        told = self.product.call(f"/requests/{self.reference}", self._key)
        return told["status"], told["owner"]["name"]


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def story(
    request: pytest.FixtureRequest, product: ProductStack, key: str, martin: CustomerPhone
) -> Story:
    """The same story in a browser that runs scripts and in one that does not."""
    return Story(product, key, martin, scripts=request.param)


@pytest.fixture
def at(
    story: Story,
    session_cookies: dict[str, list[dict[str, object]]],
    open_page: Callable[..., Page],
) -> Callable[..., Page]:
    """``at("tess", *buttons)``: Martin's request on her desk; she presses these in turn."""

    def sit_down(who: str, *buttons: str) -> Page:
        colleague = open_page(**DESK, java_script_enabled=story.scripts)
        colleague.context.add_cookies(session_cookies[who])
        colleague.goto(f"{story.product.address}/desk/requests/{story.reference}")
        for button in buttons:
            story.press(colleague, button)
        return colleague

    return sit_down


@pytest.fixture
def look_at(story: Story, check_accessible: Callable[[Page], None]) -> Callable[[Page], None]:
    """Look closely at a page; without scripts it looks the same, and axe cannot run."""
    return check_accessible if story.scripts else lambda _page: None


def test_martin_follows_his_card_and_confirms_it(
    story: Story,
    at: Callable[..., Page],
    open_page: Callable[..., Page],
    look_at: Callable[[Page], None],
) -> None:
    """Every leg shows, every text comes once and in order, and only his YES closes it."""
    phone: Phone = story.phone
    page = open_page(**PHONE, java_script_enabled=story.scripts)

    # He has hardly put down the receiver when the link is there.
    story.follow_the_link(phone.reads("We have your application"), page)
    story.sees("We have your application, Martin", "Telesales has had it since today")

    # Passed on is not taken up: Telesales keeps it, and nobody tells him that it is being checked.
    at("tess", "Complete and hand off to Underwriting")
    story.sees(
        "Passed to Underwriting, Martin",
        "they take it up by",
        "Until they do, Tess at Telesales still looks after it",
    )
    look_at(page)
    assert phone.has_nothing_new()
    uma = at("uma")
    uma.goto(f"{story.product.address}/desk")
    look_at(uma)
    story.submit(uma, uma.get_by_role("button", name=f"Accept Martin Miller, {story.reference}"))
    phone.reads("Your application is being checked")
    story.sees("Your application is being checked, Martin", "Underwriting has had it since")

    # He writes on the page, and a person answers.
    uma = at("uma")
    box = page.get_by_role("textbox", name="Write to Underwriting")
    box.fill("I moved last week. Do you have my new address?")
    story.submit(page, page.get_by_role("button", name="Send"))
    log = page.get_by_role("log")
    expect(log).to_contain_text("Do you have my new address?")
    expect(log).to_contain_text("at Underwriting will answer you by")
    expect(box).to_have_value("")
    story.gets_news(uma, "I moved last week.")
    look_at(uma)
    uma.get_by_label("Reply", exact=True).fill("We have it now, thank you.")
    story.submit(uma, uma.get_by_role("button", name="Send"))
    phone.reads("We have it now, thank you.")
    story.sees("Your application is being checked, Martin", "We have it now", "Uma, by text")

    # On through the departments; each leg is told when it is taken up, and not before.
    at("uma", "Complete and hand off to Card Processing")
    at("pia", "Accept")
    phone.reads("Your card is being made")
    story.sees("Your card is being made, Martin", "Pia at Card Processing has had it")
    at("pia", "Complete and hand off to Courier Desk")
    carl = at("carl", "Accept")
    phone.reads("Your card is on its way to you")
    story.press(carl, "Complete and continue with Delivered")
    phone.reads("Your card has been delivered")
    story.sees("Your card has been delivered, Martin", "Courier Desk has had it")

    # The company has done its part. He has the last word, and it is no.
    story.press(carl, "Complete")
    phone.reads("Has your card arrived? Reply YES or NO.")
    story.sees("Has your card arrived?")
    look_at(page)
    assert story.stands()[0] == "awaiting_confirmation"
    phone.writes("NO")
    phone.reads("is looking for your card and writes to you by")
    story.sees("Carl is looking for your card, Martin", "Courier Desk has had it", "once more")
    assert story.stands() == ("open", "Carl Courier")

    # Carl keeps what he promised; then it goes out again, and now he presses the button.
    carl = at("carl")
    carl.get_by_label("Reply", exact=True).fill("It was at the depot. It comes today.")
    story.submit(carl, carl.get_by_role("button", name="Send"))
    phone.reads("It was at the depot.")
    carl = at("carl", "Complete and continue with Delivered", "Complete")
    phone.reads("Your card has been delivered")
    phone.reads("Has your card arrived?")
    story.sees("Has your card arrived?")
    story.submit(page, page.get_by_role("button", name="Yes", exact=True))
    story.sees("All done, Martin", "You confirmed it", "What happened")
    expect(page.locator(".timeline [aria-current]")).to_have_count(0)
    look_at(page)
    assert story.stands()[0] == "completed"
    assert phone.has_nothing_new()
    story.gets_news(carl, "Completed")
    look_at(carl)
