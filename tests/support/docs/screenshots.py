"""Take the screenshots of the docs: ``python -m tests.support.docs.screenshots``, after a change of design.

``states`` as an argument takes only those of the status page, ``animation`` only the animated picture.

For the README it starts a demo in a temporary folder; it needs Chromium.
"""

import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chromium import launch_options
from tests.browser.product import ProductProcess
from tests.support.docs.animation import record_demo
from tests.support.docs.state_screenshots import draw_states

PICTURES = Path(__file__).parents[3] / "docs" / "pictures"
MAX_BYTES = 250_000
"""Of one screenshot."""


def main() -> None:
    """Take the screenshots that the arguments name, or all."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    wanted = set(sys.argv[1:]) or {"states", "animation", "screenshots"}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options())
        if "states" in wanted:
            draw_states(browser)
        if "animation" in wanted:
            with running_demo() as demo:
                record_demo(browser, demo.address, PICTURES / "demo.gif")
        if "screenshots" in wanted:
            with running_demo() as demo:
                draw_demo(browser, demo)
                draw_status_page(browser, demo)
                draw_desk(browser, demo)
        browser.close()


@contextmanager
def running_demo() -> Iterator[ProductProcess]:
    """A new demo on a free port, stopped and removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        demo = ProductProcess("demo", "--port", "0", folder=Path(folder), said=r"(http://\S+)/demo")
        demo.start()
        try:
            yield demo
        finally:
            demo.stop()


def draw_demo(browser: Browser, demo: ProductProcess) -> None:
    """Phone, page and desk side by side, just after Card Processing has accepted the card."""
    page = browser.new_page(viewport={"width": 1280, "height": 860})
    page.goto(f"{demo.address}/demo")
    page.get_by_role("button", name="Accept").click()
    page.get_by_role("list", name="Texts").get_by_text("your card is being made").wait_for()
    page.frame_locator("iframe").get_by_role("heading", name="Your card is being made").wait_for()
    draw(page, "demo")


def draw_status_page(browser: Browser, demo: ProductProcess) -> None:
    """The status page, in light and in dark mode."""
    link = demo.wait_until_said(r"(http://\S+/r/\S+)")
    for scheme, name in (("light", "status-page"), ("dark", "status-page-dark")):
        page = browser.new_page(
            viewport={"width": 390, "height": 844}, device_scale_factor=2, color_scheme=scheme
        )
        page.goto(link)
        draw(page, name)


def draw_desk(browser: Browser, demo: ProductProcess) -> None:
    """The desk of a person with several departments."""
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
    """Take the screenshot; exits where it has too many bytes for a README."""
    page.emulate_media(reduced_motion="reduce")
    path = PICTURES / f"{name}.png"
    page.screenshot(path=path)
    size = path.stat().st_size
    print(f"{path.name}: {size // 1000} kB")
    if size > MAX_BYTES:
        sys.exit(f"{name} has more than {MAX_BYTES} bytes")
    page.close()


if __name__ == "__main__":
    main()
