"""The animated picture of the demo in the README: one action of staff, one text of the customer."""

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect

VIEWPORT = {"width": 1280, "height": 860}
SIZE = (880, 591)
COLORS = 64
MAX_BYTES = 1_500_000
HOLD_MS, STEP_MS = 2_200, 350
STEPS_AFTER_CLICK = 8
DELIVERY_TIMEOUT_MS = 60_000


class Recorder:
    """Collects screenshots of one page; equal ones in a row become one longer frame."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.frames: list[Image.Image] = []
        self.durations: list[int] = []

    def take(self, milliseconds: int) -> None:
        """Add a frame that is shown for this long."""
        shot = Image.open(io.BytesIO(self.page.screenshot(animations="disabled"))).convert("RGB")
        frame = shot.resize(SIZE, Image.Resampling.LANCZOS)
        if self.frames and frame.tobytes() == self.frames[-1].tobytes():
            self.durations[-1] += milliseconds
        else:
            self.frames.append(frame)
            self.durations.append(milliseconds)

    def watch(self, steps: int) -> None:
        """Add a frame for each step while the page changes."""
        for _ in range(steps):
            self.take(STEP_MS)
            self.page.wait_for_timeout(STEP_MS)

    def save(self, path: Path) -> None:
        """Write the GIF, with one palette for all frames so that unchanged parts stay equal."""
        palette = self.frames[-1].quantize(COLORS, dither=Image.Dither.NONE)
        frames = [
            frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in self.frames
        ]
        frames[0].save(
            path, save_all=True, append_images=frames[1:], duration=self.durations, loop=0,
            optimize=True, disposal=1,
        )  # fmt: skip


def record_demo(browser: Browser, address: str, path: Path) -> None:
    """Record staff accepting Martin's card, his text, and the answer, into an animated GIF."""
    page = browser.new_page(viewport=VIEWPORT, reduced_motion="reduce")
    page.set_default_timeout(DELIVERY_TIMEOUT_MS)
    page.goto(f"{address}/demo")
    texts = page.get_by_role("list", name="Texts").get_by_role("listitem")
    status_page = page.frame_locator("iframe").get_by_role("heading", name="Your card is being")
    recorder = Recorder(page)
    recorder.take(HOLD_MS)
    known = texts.count()
    page.locator('form[action="/demo/handoff/accept"] button[type=submit]').click()
    expect(texts).not_to_have_count(known, timeout=DELIVERY_TIMEOUT_MS)
    recorder.watch(STEPS_AFTER_CLICK)
    status_page.wait_for()
    recorder.take(HOLD_MS)
    known = texts.count()
    page.locator("#text").fill("Where is my card?")
    recorder.take(HOLD_MS // 2)
    page.locator('form[action="/demo/reply"] button').click()
    expect(texts).not_to_have_count(known, timeout=DELIVERY_TIMEOUT_MS)
    recorder.watch(STEPS_AFTER_CLICK)
    recorder.take(2 * HOLD_MS)
    page.close()
    recorder.save(path)
    size = path.stat().st_size
    print(f"{path.name}: {len(recorder.frames)} frames, {size // 1000} kB")
    if size > MAX_BYTES:
        sys.exit(f"{path.name} has more than {MAX_BYTES} bytes")
