"""Take the pictures in docs/pictures/ anew: run `kept demo --port 8000`, then this with the same address.

.venv/bin/python tests/pictures.py http://127.0.0.1:8000
"""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PHONE = {"width": 390, "height": 780}
DESK = {"width": 1280, "height": 900}


def main(origin: str) -> None:
    """Press the first button of the demo, so that the card is being made, and look."""
    with sync_playwright() as playwright:
        chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page_url = _take_it_up(browser, origin)
        for scheme, name in (("light", "status-page.png"), ("dark", "status-page-dark.png")):
            context = browser.new_context(
                viewport=PHONE, device_scale_factor=2, color_scheme=scheme
            )
            page = context.new_page()
            page.goto(page_url)
            page.screenshot(path=PICTURES / name)
            context.close()
        browser.close()


def _take_it_up(browser: Browser, origin: str) -> str:
    page = browser.new_page(viewport=DESK)
    page.goto(f"{origin}/demo")
    button = page.locator("#counter").get_by_role("button", name="Take it up")
    if button.count():
        button.click()
        page.get_by_text("your card is being made").first.wait_for()
    phone = page.frame(name="page")
    phone.get_by_role("heading", name="being made").first.wait_for()
    page.screenshot(path=PICTURES / "demo.png")
    return phone.url


if __name__ == "__main__":
    main(sys.argv[1])
