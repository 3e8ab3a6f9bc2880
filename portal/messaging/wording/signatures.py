"""The signature of a text that a colleague writes: "Dora at Acme: ", before their own words."""

import re
from functools import cache

from portal.i18n.languages import LANGUAGE_CODES
from portal.messaging.sms.bidi import RIGHT_TO_LEFT_MARK
from portal.messaging.sms.gsm_text import to_gsm7
from portal.messaging.wording.renderer import fill_template, product_text

MAX_TEXT_LENGTH = 1_600
"""Letters that Twilio takes in one text."""


def signature(author: str, brand: str, locale: str) -> str:
    """The first name and the brand, with the space before the words; empty without an author."""
    if not author:
        return ""
    fields = {"owner": author.split(maxsplit=1)[0], "brand": brand}
    return f"{fill_template(product_text('signature', locale), fields)} "


def sign(body: str, author: str, brand: str, locale: str) -> str:
    """The words with their signature, which is left out where the brand begins them already.

    Words that would be longer than a text may be stay as they are.
    """
    if without_signature(body, brand) != body or body.startswith(f"{brand}: "):
        return body
    signed = f"{signature(author, brand, locale)}{body}"
    return signed if len(signed) <= MAX_TEXT_LENGTH else body


def without_signature(body: str, brand: str) -> str:
    """The words alone, for a mail and for the page, which name the author beside them."""
    return _signatures(brand).sub("", body, count=1)


@cache
def _signatures(brand: str) -> re.Pattern[str]:
    """A signature of anybody's in any of our languages, at the beginning of a text."""
    patterns = [
        fill_template(
            re.escape(product_text("signature", language)).replace(r"\{", "{").replace(r"\}", "}"),
            {"owner": r"\S{1,60}", "brand": re.escape(name)},
        )
        for language in LANGUAGE_CODES
        for name in (brand, to_gsm7(brand))
    ]
    return re.compile(rf"^{RIGHT_TO_LEFT_MARK}?(?:{'|'.join(patterns)}) ")
