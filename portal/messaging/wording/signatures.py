"""The signature of a text that a colleague writes: "Dora at Acme: ", before their own words."""

import re
from functools import lru_cache

from portal.i18n.languages import LANGUAGE_CODES
from portal.messaging.sms.bidi import RIGHT_TO_LEFT_MARK
from portal.messaging.sms.gsm_text import to_gsm7
from portal.messaging.sms.plain_names import plain_name
from portal.messaging.wording.renderer import fill_template, product_text
from portal.models.people.given_name import staff_first_name

MAX_TEXT_LENGTH = 1_600
"""Letters that Twilio takes in one text."""


def signature(author: str, brand: str, locale: str) -> str:
    """The first name and the brand, with the space before the words; empty without an author."""
    name = staff_first_name(author)
    if not name:
        return ""
    fields = {"owner": name, "brand": brand}
    return f"{fill_template(product_text('signature', locale), fields)} "


def sign(body: str, author: str, brand: str, locale: str) -> str:
    """The words with their signature, which is left out where the brand begins them already.

    Words that would be longer than a text may be stay as they are.
    """
    if without_signature(body, brand, author) != body or body.startswith(f"{brand}: "):
        return body
    signed = f"{signature(author, brand, locale)}{body}"
    return signed if len(signed) <= MAX_TEXT_LENGTH else body


def without_signature(body: str, brand: str, author: str) -> str:
    """The words alone, for a mail and for the page, which name the author beside them."""
    return _signatures(brand, staff_first_name(author)).sub("", body, count=1)


@lru_cache(1024)
def _signatures(brand: str, name: str) -> re.Pattern[str]:
    """A signature in any of our languages, at the beginning of a text: of ``name``, or of one word."""
    plain = to_gsm7(name)
    names = [re.escape(each) for each in (name, plain, plain_name(plain)) if each]
    owner = "|".join([*names, r"\S{1,60}"])
    patterns = [
        fill_template(
            re.escape(product_text("signature", language)).replace(r"\{", "{").replace(r"\}", "}"),
            {"owner": f"(?:{owner})", "brand": re.escape(of_brand)},
        )
        for language in LANGUAGE_CODES
        for of_brand in (brand, to_gsm7(brand))
    ]
    return re.compile(rf"^{RIGHT_TO_LEFT_MARK}?(?:{'|'.join(patterns)}) ")
