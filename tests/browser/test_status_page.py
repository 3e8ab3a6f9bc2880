"""An open status page stays current whatever happens to the connection, and shows only its own request."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import PHONE, CustomerPhone
from tests.browser.product import ProductStack, wait_until
from tests.support.sample_images import photo

LOST = "Connection lost, trying again"


@pytest.fixture
def page(product: ProductStack, martin: CustomerPhone, open_page: Callable[..., Page]) -> Page:
    """Martin's page, opened from the link in his first text."""
    page = open_page(**PHONE)
    page.goto(link_in(martin[1].reads("We have your application")))
    return page


def test_disconnected_page_says_so_and_updates_after_reconnect(
    product: ProductStack, key: str, martin: CustomerPhone, page: Page
) -> None:
    """The office goes away and comes back; what happened meanwhile is there, nothing reloaded."""
    page.evaluate("window.isTheFirst = true")
    product.close()
    expect(page.get_by_text(LOST)).to_be_visible(timeout=10_000)
    page.route("**/live*", lambda route: route.abort())
    product.reopen()
    product.call(f"/requests/{martin[0]}/advance", key, note="Thank you for the papers.")
    page.unroute("**/live*")
    expect(page.locator("main")).to_contain_text("Passed to Underwriting", timeout=15_000)
    expect(page.get_by_text(LOST)).to_be_hidden(timeout=15_000)
    assert page.evaluate("window.isTheFirst")


def test_page_polls_where_streams_are_blocked(
    product: ProductStack, key: str, martin: CustomerPhone, page: Page
) -> None:
    """Behind a wall that lets no stream pass it polls, and does not complain."""
    page.route("**/live*", lambda route: route.abort())
    page.evaluate("dispatchEvent(new Event('online'))")  # the open stream is given up
    product.call(f"/requests/{martin[0]}/advance", key, note="Thank you for the papers.")
    expect(page.locator("main")).to_contain_text("Passed to Underwriting", timeout=20_000)
    expect(page.get_by_text(LOST)).to_be_hidden()


def test_hidden_tab_closes_its_stream_and_updates_when_shown(
    product: ProductStack, key: str, martin: CustomerPhone, page: Page
) -> None:
    """Ten tabs take no more of the phone than the one that is seen."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    look_away(page, hidden=True)
    asked.clear()
    product.call(f"/requests/{martin[0]}/advance", key, note="Thank you for the papers.")
    page.evaluate("dispatchEvent(new Event('online'))")
    assert asked == []
    expect(page.locator("main")).not_to_contain_text("Passed to Underwriting")
    look_away(page, hidden=False)
    expect(page.locator("main")).to_contain_text("Passed to Underwriting")


def test_update_is_announced_once_and_does_not_move_the_scroll_position(
    product: ProductStack, key: str, martin: CustomerPhone, page: Page
) -> None:
    """What grows above the eyes does not push down what they rest on."""
    page.set_viewport_size({"width": 390, "height": 500})
    talk = page.get_by_role("heading", name="Conversation")
    talk.scroll_into_view_if_needed()
    page.mouse.wheel(0, 150)
    page.wait_for_function("scrollY > 300")
    before = talk.bounding_box()
    product.call(f"/requests/{martin[0]}/advance", key, note="Thank you for the papers. " * 5)
    said = page.locator("#said")
    expect(said).to_contain_text("Passed to Underwriting")
    after = talk.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(after["y"] - before["y"]) <= 2
    told = said.inner_text()
    page.evaluate("htmx.ajax('GET', location.pathname, '#main')")
    page.wait_for_function("!document.querySelector('.fresh')")
    assert said.inner_text() == told
    assert told.count("Passed to Underwriting today") == 1


def test_unsent_input_stays_in_the_field(page: Page) -> None:
    """A customer's words are theirs until they have arrived."""
    page.context.set_offline(True)
    box = page.get_by_role("textbox")
    box.fill("Are you there?")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("That did not go through. Please try once more.")).to_be_visible()
    expect(box).to_have_value("Are you there?")
    page.context.set_offline(False)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("log")).to_contain_text("Are you there?")
    expect(box).to_have_value("")


def test_update_does_not_overwrite_typed_input(
    product: ProductStack, key: str, martin: CustomerPhone, page: Page
) -> None:
    """News arrives under the fingers of who is writing, and takes nothing from them."""
    box = page.get_by_role("textbox")
    box.press_sequentially("Please ring twi")
    product.call(f"/requests/{martin[0]}/advance", key, note="Thank you for the papers.")
    expect(page.locator("main")).to_contain_text("Passed to Underwriting")
    page.keyboard.type("ce")
    expect(box).to_have_value("Please ring twice")


def test_response_and_its_live_update_do_not_conflict(
    product: ProductStack, key: str, martin: CustomerPhone, session_cookies: object, page: Page
) -> None:
    """The stream tells of his answer before the answer to it is there: still one page."""
    product.advance_to_courier(martin[0], key)
    for note in ("On its way.", "The courier says it is there."):
        product.call(f"/requests/{martin[0]}/advance", key, note=note)
    expect(page.get_by_role("heading", name="Has your card arrived?")).to_be_visible(timeout=15_000)

    def answer_late(route: Route) -> None:
        answered = route.fetch()
        page.wait_for_timeout(700)  # the news is there by now, or is waiting its turn
        route.fulfill(response=answered)

    page.route("**/answers", answer_late)
    page.evaluate("""() => {
        window.drawn = new Promise((resolve) => {
            document.addEventListener("htmx:afterRequest", ({detail}) =>
                detail.requestConfig.verb === "post" && setTimeout(resolve, 100));
            setTimeout(resolve, 4000);
        });
    }""")
    page.get_by_role("button", name="Yes", exact=True).click()
    page.evaluate("window.drawn")
    expect(page.get_by_role("heading", name="All done, Martin")).to_be_visible()
    expect(page.get_by_role("main")).to_have_count(1)
    expect(page.get_by_role("banner")).to_have_count(1)


def test_double_submit_sends_once(page: Page) -> None:
    """An impatient thumb sends one message."""
    page.get_by_role("textbox").fill("Hello?")
    page.get_by_role("button", name="Send").dblclick()
    expect(page.locator("li.me")).to_have_count(1)
    page.reload()
    expect(page.locator("li.me")).to_have_count(1)


def test_photo_is_sent_with_the_message_and_shown_at_once(
    page: Page, check_accessible: Callable[[Page], None]
) -> None:
    """What was refused can be chosen anew, and the words are still there; nothing jumps."""
    page.get_by_role("textbox").fill("Look at this")
    page.get_by_title("Add photos or a PDF").click()
    chosen = page.get_by_label("Photos or a PDF", exact=True)
    chosen.set_input_files({"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"no photo"})
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("We could not take “a.jpg”: only photos")
    expect(page.get_by_role("textbox")).to_have_value("Look at this")
    check_accessible(page)
    whole = photo(1_200, 900)
    chosen.set_input_files({"name": "crack.jpg", "mimeType": "image/jpeg", "buffer": whole})
    page.get_by_role("button", name="Send").click()
    shown = page.get_by_role("img", name="Photo: crack.jpg")
    expect(shown).to_be_visible()
    shown.scroll_into_view_if_needed()
    expect(shown).to_have_js_property("naturalWidth", 480)
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(page.get_by_role("textbox")).to_have_value("")
    expect(chosen).to_be_hidden()
    check_accessible(page)


def test_link_shows_only_its_own_request(
    product: ProductStack, key: str, page: Page, open_page: Callable[..., Page]
) -> None:
    """Martha's link shows Martha's request; of Martin there is nothing."""
    martha = {"name": "Martha Miller", "email": "martha@acme.example"}
    opened = product.call("/requests", key, workflow="card", customer=martha, title="Gold card")
    hers = open_page(**PHONE)
    hers.goto(opened["status_url"])
    expect(hers.get_by_role("heading", level=1)).to_have_text("We have your application, Martha")
    expect(hers.get_by_text("Gold card")).to_be_visible()
    assert "Martin" not in hers.content()
    assert "Gold card" not in page.content()


def test_unknown_link_gets_a_kind_explanation(
    product: ProductStack, open_page: Callable[..., Page], check_accessible: Callable[[Page], None]
) -> None:
    """404, and a way on."""
    page = open_page(**PHONE)
    answered = page.goto(f"{product.address}/r/{'A' * 22}")
    assert answered is not None
    assert answered.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("This link does not open anything")
    check_accessible(page)
    page.get_by_role("link", name="Send me a new link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Where is my request?")
    check_accessible(page)


def test_channel_preference_is_saved(page: Page, check_accessible: Callable[[Page], None]) -> None:
    """Preferences are one press away, and say that they were kept."""
    page.get_by_role("link", name="Text and e-mail settings").click()
    check_accessible(page)
    page.get_by_role("button", name="Stop texting about this request").click()
    expect(page.get_by_text("We do not text you about this request.")).to_be_visible()
    check_accessible(page)


def look_away(page: Page, *, hidden: bool) -> None:
    """Turn to another tab, or back to this one."""
    page.evaluate(
        """(hidden) => {
            Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def link_in(text: str) -> str:
    """The link that a text carries."""
    found = re.search(r"http://\S+/r/[\w-]+", text)
    assert found is not None, text
    return found[0]


def test_page_that_is_only_rendered_changes_nothing(
    product: ProductStack, key: str, martin: CustomerPhone, open_page: Callable[..., Page]
) -> None:
    """A scanner runs the scripts of each link, waits half a minute and clicks nothing."""
    reference, phone = martin
    url = link_in(phone.reads("We have your application"))
    product.advance_to_courier(reference, key)
    for text in ("is being checked", "is being made", "on its way"):
        phone.reads(text)
    for note in ("The courier has it.", "Signed for by the neighbour."):
        product.call(f"/requests/{reference}/advance", key, note=note)
    phone.reads("delivered")
    phone.reads("Has your card arrived?")
    wait_until(
        lambda: all(
            message["status"] in ("delivered", "received")
            or (message["channel"], message["status"]) == ("email", "sent")
            for message in product.call(f"/requests/{reference}/messages", key)["items"]
        ),
        within=20,
    )

    def state() -> tuple[object, ...]:
        request = product.call(f"/requests/{reference}", key)
        parts = [
            product.call(f"/requests/{reference}/{part}", key)["items"]
            for part in ("messages", "promises", "timeline", "follow-ups")
        ]
        return request, parts

    before = state()
    page = open_page(**PHONE)
    page.clock.install()
    posts: list[str] = []
    page.on("request", lambda sent: posts.append(sent.url) if sent.method != "GET" else None)
    for more in ("", "#answer-yes", "/unsubscribe", "/code?to=mine", "/code?to=start", "/replace"):
        page.goto(url + more)
        assert not re.search(f"Martin|{reference}", page.title())
        page.clock.fast_forward(30_000)
        page.evaluate("new Promise(resolve => setTimeout(resolve))")
    assert posts == []
    assert state() == before
    assert phone.has_nothing_new()
