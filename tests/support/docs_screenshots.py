"""Draw the pictures of the docs anew: ``python -m tests.support.docs_screenshots``, after a change of the look.

``python -m tests.support.docs_screenshots states`` draws only the states of the customer's page.

For the README it starts a demonstration of its own, in a folder that is gone afterwards, and needs Chromium.
"""

import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chromium import launch_options
from tests.browser.product import ProductProcess
from tests.support.docs_state_screenshots import draw_states

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
HEAVIEST = 250_000
"""Bytes of one picture."""


def main() -> None:
    """Draw them all."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options())
        draw_states(browser)
        browser.close()
    if sys.argv[1:] == ["states"]:
        return
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        demo = ProductProcess("demo", "--port", "0", folder=Path(folder), said=r"(http://\S+)/demo")
        demo.start()
        try:
            browser = playwright.chromium.launch(**launch_options())
            draw_demo(browser, demo)
            draw_status_page(browser, demo)
            draw_desk(browser, demo)
            browser.close()
        finally:
            demo.stop()


def draw_demo(browser: Browser, demo: ProductProcess) -> None:
    """Phone, page and desk side by side, just after Card Processing has taken up his card."""
    page = browser.new_page(viewport={"width": 1280, "height": 860})
    page.goto(f"{demo.address}/demo")
    page.get_by_role("button", name="Take it up").click()
    page.get_by_role("list", name="Texts").get_by_text("your card is being made").wait_for()
    page.frame_locator("iframe").get_by_role("heading", name="Your card is being made").wait_for()
    draw(page, "demo")


def draw_status_page(browser: Browser, demo: ProductProcess) -> None:
    """What a customer sees, by day and by night."""
    link = demo.wait_until_said(r"(http://\S+/r/\S+)")
    for scheme, name in (("light", "status-page"), ("dark", "status-page-dark")):
        page = browser.new_page(
            viewport={"width": 390, "height": 844}, device_scale_factor=2, color_scheme=scheme
        )
        page.goto(link)
        draw(page, name)


def draw_desk(browser: Browser, demo: ProductProcess) -> None:
    """What somebody sees who looks after several departments."""
    password = demo.wait_until_said(r"password is (\S+)")
    email = demo.wait_until_said(r"(\S+@\S+) +every department")
    page = browser.new_page(viewport={"width": 1280, "height": 860})
    page.goto(f"{demo.address}/desk/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"/desk$"))
    draw(page, "desk")


def draw(page: Page, name: str) -> None:
    """Take the picture; each must be light enough for a README."""
    page.emulate_media(reduced_motion="reduce")
    path = PICTURES / f"{name}.png"
    page.screenshot(path=path)
    size = path.stat().st_size
    print(f"{path.name}: {size // 1000} kB")
    if size > HEAVIEST:
        sys.exit(f"{name} is too heavy")
    page.close()


if __name__ == "__main__":
    main()
