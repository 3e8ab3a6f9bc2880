"""Promises as their customer reads them: ours in their language, a colleague's as it was written.

Kept's own promises are stored in English, as staff and other systems read them, and so stay true
when a customer changes their language.
"""

from collections.abc import Collection

from portal.messaging.wording.renderer import fill_template, product_text
from portal.models.requests.promise import CUSTOMER_CHOSE_OTHER_TIME
from portal.rules.proactive_updates import NEW_DATE_ENDING

PRODUCT_PROMISES = {
    "will answer you.": "answers_you",
    "will call you.": "calls_you",
    NEW_DATE_ENDING: "new_date",
}
"""How a promise of Kept's own ends, after the department's name, and the sentence that says it."""


def localize_promise(text: str, departments: Collection[str], locale: str) -> str:
    """What is promised. ``departments`` are the names that may stand before words of our own."""
    for ending, name in PRODUCT_PROMISES.items():
        department = text.removesuffix(ending).rstrip()
        if text.endswith(ending) and department in departments:
            return fill_template(product_text(name, locale), {"department": department})
    return text


def moved_because(reason: str, locale: str) -> str:
    """Why it has another time."""
    return product_text("another_time", locale) if reason == CUSTOMER_CHOSE_OTHER_TIME else reason
