"""`/demo` in a browser: phone, status page and desk update together."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.product import ProductProcess


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProductProcess]:
    """`kept demo`, as a newcomer starts it."""
    folder: Path = tmp_path_factory.mktemp("demo")
    product = ProductProcess("demo", "--port", "0", folder=folder, said=r"(http://\S+)/demo")
    product.start()
    yield product
    product.stop()


@pytest.mark.parametrize("width", [1280, 390])
def test_demo_panes_update_together(
    demo: ProductProcess,
    open_page: Callable[..., Page],
    check_accessible: Callable[[Page], None],
    width: int,
) -> None:
    """A button at the right, a text at the left, the timeline in the middle; nothing reloaded."""
    page = open_page(viewport={"width": width, "height": 900})
    page.goto(f"{demo.address}/demo")
    page.get_by_role("button", name="Start again").click()
    page.evaluate("window.isTheFirst = true")

    def look_at(part: str) -> None:
        if width < 1000:
            page.locator(f".tabs [value={part}]").check()

    phone = page.get_by_role("list", name="Texts")
    status = page.frame_locator("iframe").locator("main")
    look_at("phone")
    expect(phone).to_contain_text("we have your application", timeout=10_000)
    check_accessible(page)
    look_at("desk")
    page.get_by_role("button", name="Complete and hand off to Underwriting").click()
    page.get_by_role("button", name="Accept").click()
    check_accessible(page)
    look_at("phone")
    expect(phone).to_contain_text("your application is being checked", timeout=10_000)
    look_at("page")
    expect(status).to_contain_text("Your application is being checked, Martin")
    expect(status).to_contain_text("Underwriting has had it")

    look_at("phone")
    page.get_by_label("Text as Martin").fill("Where is my card?")
    page.get_by_role("button", name="Send").first.click()
    expect(phone).to_contain_text("Where is my card?")
    look_at("desk")
    expect(page.locator("#counter")).to_contain_text("Where is my card?", timeout=10_000)
    box = page.get_by_label("Reply", exact=True)
    size = box.bounding_box()
    assert size is not None
    assert size["width"] > 200, "there is space for a reply"
    box.fill("Being checked, you hear from us tomorrow.")
    page.locator("#counter").get_by_role("button", name="Send").click()
    look_at("phone")
    expect(phone).to_contain_text("you hear from us tomorrow.", timeout=10_000)
    look_at("page")
    expect(status).to_contain_text("you hear from us tomorrow.")
    assert page.evaluate("window.isTheFirst"), "the page was loaded anew"
