"""Our sentences without what only a text needs: for a page, and for a mail."""

import re

from portal.i18n.languages import LANGUAGE_CODES
from portal.messaging.sms.bidi import RIGHT_TO_LEFT_MARK
from portal.messaging.wording.renderer import product_text

LINK = re.compile(r"(?<!\s)\s*https?://\S{1,300}/r/[\w-]+")
REPLY_HINT = re.compile(
    r"(?<![^.?!؟])(?=(?>[^.?!؟]*?\b(?:YES|SÍ|SI|نعم)\b)[^.?!؟]*\b(?:NO|لا)\b)[^.?!؟]*+[.!]?\s*$"
)
"""A last sentence such as "Reply YES or NO.": for a text, not for where there are two buttons."""


def channel_neutral_text(body: str, brand: str) -> str:
    """The body without brand, link and opt-out hint, which the page has elsewhere."""
    body = LINK.sub("", without_opt_out_hint(body).removeprefix(f"{brand}: ")).strip()
    return f"{body[:-1]}." if body.endswith(":") else body


def without_opt_out_hint(body: str) -> str:
    """The body without its opt-out hint."""
    body = body.lstrip(RIGHT_TO_LEFT_MARK)
    for language in LANGUAGE_CODES:
        body = body.removesuffix(product_text("stop_hint", language))
    return body.strip()


def without_reply_hint(question: str, *, asks_time: bool = False) -> str:
    """The question alone; all of it, where nothing else would be left.

    Of a question about a time, what follows its last question mark says how to write the time.
    """
    if asks_time and (end := max(question.rfind("?"), question.rfind("؟"))) >= 0:
        return question[: end + 1].strip()
    return REPLY_HINT.sub("", question).strip() or question
