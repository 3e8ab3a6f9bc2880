"""Draw each state of the customer's page: ``python -m tests.support.docs_screenshots states``.

The pictures lie in docs/pictures/states, and docs/status-page-states.md shows them with what they say.
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
from tests.support.status_page_states import LAYLA, STATES, outage

DOCS = Path(__file__).parents[2] / "docs"
FOLDER = DOCS / "pictures" / "states"
HEAVIEST = 60_000
"""Bytes of one picture."""
COLOURS = 128
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 1.5}
DESK = {"viewport": {"width": 1280, "height": 800}}

CAPTIONS = {
    "in work": "In work. They wrote, and Pia has said by when she answers.",
    "nothing said": "In work, and not a word was needed so far.",
    "passed on": "Passed on to the next department, which has not taken it up yet.",
    "side by side": "Departments at work at the same time; one waits for a map.",
    "likely": "In work, with how long its like usually take.",
    "a question": "Waiting for the customer: a question.",
    "an appointment": "Waiting for the customer: a time that suits them.",
    "a visit": "In work, with a time that was agreed, for the calendar.",
    "waiting on papers": "Waiting for the customer: something to send.",
    "on hold": "On hold, with the reason and until when.",
    "delayed": "Delayed, and told: what we said, what we expect now, and why.",
    "late": "Past its time, before a new day is known; a promise is late too.",
    "ask now": "Past the last date that we believed in: one press asks.",
    "a complaint": "A complaint that is open, with a name and a time.",
    "promises": "Promises: late, open, moved; further down the page kept and not kept.",
    "did it arrive": "All is done on our side; only the customer can say so.",
    "done": "Completed just now.",
    "done long ago": "Completed long ago.",
    "never confirmed": "Closed without the customer's word, and never called theirs.",
    "declined": "Refused.",
    "cancelled": "Cancelled.",
    "our outage": "Our outage: kind words under our own name, and it looks again by itself.",
}
FURTHER = {
    "by night": "In the dark.",
    "a question by night": "In the dark, when it is the customer's turn.",
    "right to left": "In Arabic.",
    "another brand": "With a brand's own colour (`KEPT_ACCENT`).",
    "on a tablet": "On a tablet.",
    "at a desk": "At a desk.",
    "on paper": "On paper.",
}
HEAD = """# The customer's page in each of its states

Drawn by `python -m tests.support.docs_screenshots states` from the facts in `tests/support/status_page_states.py`, on a phone of 390
by 844 pixels. What each must say is held by `tests/tracking/test_status_page.py`, that all of it can be used
by everybody by `tests/browser/test_status_page_states.py`.
"""


def draw_states(browser: Browser) -> None:
    """Draw all of them, and the page that shows them."""
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
    (DOCS / "status-page-states.md").write_text(_shown(), encoding="utf-8")


def slug(name: str) -> str:
    """What its picture is called."""
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
    palette = picture.quantize(COLOURS, kmeans=2, dither=Image.Dither.NONE)
    palette.save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path.relative_to(DOCS.parent)}: {size // 1000} kB")
    if size > HEAVIEST:
        raise SystemExit(f"{name} is too heavy")


def _shown() -> str:
    """The pages of pictures, two in a row."""
    parts = [HEAD]
    for title, captions in (("On a phone", CAPTIONS), ("Elsewhere", FURTHER)):
        parts.append(f"\n## {title}\n\n| | |\n| --- | --- |\n")
        cells = [
            f'<img src="pictures/states/{slug(name)}.png" width="300" alt="{said}"><br>{said}'
            for name, said in captions.items()
        ]
        pairs = zip(cells[::2], [*cells[1::2], ""], strict=False)
        parts += [f"| {left} | {right} |\n" for left, right in pairs]
    return "".join(parts)
