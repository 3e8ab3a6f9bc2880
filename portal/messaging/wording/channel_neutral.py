"""Our sentences without what only a text needs: for a page, and for a mail."""

import re
from collections.abc import Mapping

from portal.i18n.languages import LANGUAGE_CODES, Language
from portal.i18n.lazy_string import LazyString
from portal.messaging.sms.bidi import RIGHT_TO_LEFT_MARK
from portal.messaging.sms.gsm_text import to_gsm7
from portal.messaging.sms.plain_names import plain_name
from portal.messaging.wording.renderer import fill_template, product_text
from portal.workflows import FollowUpDefinition

LINK_AFTER_COLON = re.compile(r":\s*https?://\S{1,300}/r/[\w-]+")
POINTER = re.compile(r"(?<=[.!?؟] )[^.!?؟]{1,200}:\s*https?://\S{1,300}/r/[\w-]+")
LINK = re.compile(r"(?<!\s)\s*https?://\S{1,300}/r/[\w-]+")
REPLY_HINT = re.compile(
    r"(?<![^.?!؟])(?=(?>[^.?!؟]*?\b(?:YES|SÍ|SI|نعم)\b)[^.?!؟]*\b(?:NO|لا)\b)[^.?!؟]*+[.!]?\s*$"
)
"""A last sentence such as "Reply YES or NO.": for a text, not for where there are two buttons."""


def channel_neutral_text(body: str, brand: str, language: Language) -> str:
    """The body without brand, link and opt-out hint, which the page has elsewhere.

    "See why: LINK" becomes "See why: on your page.", so that no half of a sentence is left.
    """
    body = without_opt_out_hint(body)
    for name in {brand, to_gsm7(brand), plain_name(to_gsm7(brand))}:
        body = body.removeprefix(f"{name}: ")
    where = language.gettext("on your page")
    body = LINK_AFTER_COLON.sub(f": {where}.", body)
    return LINK.sub("", body).strip()


def without_pointer(body: str) -> str:
    """The body without a sentence such as "See why: LINK", for where the reason follows."""
    return POINTER.sub("", body).strip()


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


def yes_label(definition: FollowUpDefinition, fields: Mapping[str, str], locale: str) -> str:
    """The label of a yes to this question: the workflow's, else ours, with the amount."""
    if definition.yes_label is not None:
        return fill_template(definition.yes_label.in_language(locale), dict(fields))
    amount = fields.get("amount")
    return LazyString("Yes, go ahead for {amount}", amount=amount) if amount else LazyString("Yes")


def no_label(definition: FollowUpDefinition, fields: Mapping[str, str], locale: str) -> str:
    """The label of a no to this question: the workflow's, else ours."""
    if definition.no_label is not None:
        return fill_template(definition.no_label.in_language(locale), dict(fields))
    return LazyString("No")


def collect_text(language: Language, place: str, hours: str) -> str:
    """Where the customer collects the thing of a request that has ended, and when it is open."""
    if not hours:
        return language.gettext("You can collect it at {place}.", place=place)
    return language.gettext(
        "You can collect it at {place}, open {hours}.", place=place, hours=hours
    )
