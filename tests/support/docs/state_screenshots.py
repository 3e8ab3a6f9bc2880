"""Take a screenshot of each state of the status page: ``python -m tests.support.docs.screenshots states``.

The pictures are in docs/pictures/states; docs/status-page-states.md shows them with their captions.
"""

import io
from dataclasses import replace
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser

from portal.branding.color import Accent
from portal.branding.theme import Theme
from portal.tracking.status_page.view_models import StatusPage
from tests.browser.static_pages import show, show_state
from tests.support.status_page.card_page import outage
from tests.support.status_page.states import LAYLA, STATES

DOCS = Path(__file__).parents[3] / "docs"
FOLDER = DOCS / "pictures" / "states"
MAX_BYTES = 60_000
"""Of one picture."""
COLORS = 128
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 1.5}
DESK = {"viewport": {"width": 1280, "height": 800}}

CAPTIONS = {
    "in work": "In work. The customer wrote, and Pia has promised an answer by a time.",
    "nothing said": "In work, without any message so far.",
    "passed on": "Handed off to the next department, which has not accepted it yet.",
    "side by side": "Departments work in parallel; one waits for a map.",
    "likely": "In work, with the usual duration of similar requests.",
    "a question": "Waiting for the customer: a question.",
    "an appointment": "Waiting for the customer: an appointment.",
    "a visit": "In work, with an agreed appointment and a calendar file.",
    "a visit to book": "Waiting for the customer: windows for a visit to choose from.",
    "a visit in a window": "A booked visit: day, window, who comes, where, what to prepare.",
    "waiting on papers": "Waiting for the customer: documents to send.",
    "papers needed": "Waiting for the customer: what we need, with a form for each item.",
    "papers sent": "What the customer sent: who checks it, and by when.",
    "to correct": "Something to correct: the reason, who asks, and the button.",
    "a price": "Waiting for the customer: a question with its price.",
    "on hold": "On hold, with the reason and the end.",
    "delayed": "Delayed and announced: the old date, the new date and the reason.",
    "late": "Late, without a new date yet; a promise is late too.",
    "ask now": "Past the last announced date: one button asks staff.",
    "a complaint": "An open complaint, with its owner and a time.",
    "promises": "Promises: late, open and rescheduled; further down the page fulfilled and missed.",
    "did it arrive": "All stages are completed; the customer is asked to confirm.",
    "done": "Completed just now.",
    "done long ago": "Completed long ago.",
    "never confirmed": "Closed without the customer's confirmation, and shown as unconfirmed.",
    "declined": "Declined.",
    "cancelled": "Cancelled.",
    "our outage": "The outage page: the brand, an explanation, and a reload by itself.",
}
FURTHER = {
    "by night": "In dark mode.",
    "a question by night": "In dark mode, with a question to the customer.",
    "right to left": "In Arabic.",
    "another brand": "With another accent color (`KEPT_ACCENT`).",
    "on a tablet": "On a tablet.",
    "at a desk": "On a desktop.",
    "on paper": "Printed.",
}
HEAD = """# The status page in each of its states

`python -m tests.support.docs.screenshots states` takes these pictures from the facts in
`tests/support/status_page/states.py`, on a phone of 390 by 844 pixels.
`tests/tracking/status_page/test_status_page.py` tests what each state says, `tests/browser/test_status_page_states.py`
that everybody can use it.
"""


def draw_states(browser: Browser) -> None:
    """Take every screenshot, and write docs/status-page-states.md."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, state in STATES.items():
        _draw(browser, name, state)
    _draw(browser, "our outage", outage())
    work, asked = STATES["in work"], STATES["a question"]
    _draw(browser, "by night", work, color_scheme="dark")
    _draw(browser, "a question by night", asked, color_scheme="dark")
    _draw(browser, "right to left", LAYLA)
    _draw(browser, "another brand", replace(work, theme=Theme(Accent.read("#b3124b"))))
    tablet = {"viewport": {"width": 768, "height": 1024}}
    _draw(browser, "on a tablet", STATES["promises"], **tablet)
    _draw(browser, "at a desk", STATES["a complaint"], **DESK)
    _draw(browser, "on paper", STATES["promises"], media="print", viewport=tablet["viewport"])
    (DOCS / "status-page-states.md").write_text(_markdown(), encoding="utf-8")


def slug(name: str) -> str:
    """The name of its picture, without the extension."""
    return name.replace(" ", "-")


def _draw(
    browser: Browser,
    name: str,
    state: StatusPage | str,
    media: str | None = None,
    **options: object,
) -> None:
    page = browser.new_page(**{**PHONE, **({"device_scale_factor": 1} if "viewport" in options else {}),
                               **options, "reduced_motion": "reduce"})  # fmt: skip
    if isinstance(state, StatusPage):
        show_state(page, state)
    else:
        show(page, state)
    page.emulate_media(media=media)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    page.close()
    path = FOLDER / f"{slug(name)}.png"
    palette = picture.quantize(COLORS, kmeans=2, dither=Image.Dither.NONE)
    palette.save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path.relative_to(DOCS.parent)}: {size // 1000} kB")
    if size > MAX_BYTES:
        raise SystemExit(f"{name} has more than {MAX_BYTES} bytes")


def _markdown() -> str:
    """docs/status-page-states.md: the pictures, two in a row."""
    parts = [HEAD]
    for title, captions in (("On a phone", CAPTIONS), ("In other forms", FURTHER)):
        parts.append(f"\n## {title}\n\n| | |\n| --- | --- |\n")
        cells = [
            f'<img src="pictures/states/{slug(name)}.png" width="300" alt="{said}"><br>{said}'
            for name, said in captions.items()
        ]
        pairs = zip(cells[::2], [*cells[1::2], ""], strict=False)
        parts += [f"| {left} | {right} |\n" for left, right in pairs]
    return "".join(parts)
