"""Promises as their customer reads them: Kept's in their language, a person's as it was written.

A promise of Kept's own is stored by its wording, so it follows when a customer changes their
language.
"""

from portal.messaging.wording.renderer import MessageRenderer, fill_template, product_text
from portal.models import Promise, PromiseWording

PRODUCT_TEXTS = {
    PromiseWording.ANSWER: "promise_answer",
    PromiseWording.CALL: "promise_call",
    PromiseWording.NEW_DATE: "new_date",
}
"""The name of the product's sentence for each wording of Kept's own."""


def localize_promise(wording: str, text: str, department: str, locale: str) -> str:
    """What is promised. ``department`` is the name of the department that promises it.

    ``text`` is given as it is where a person wrote it.
    """
    name = PRODUCT_TEXTS.get(PromiseWording(wording))
    if name is None:
        return text
    return fill_template(product_text(name, locale), {"department": department})


def moved_because(reason: str, locale: str, *, by_customer: bool) -> str:
    """Why a promise has another due time; empty where it was not moved."""
    return product_text("another_time", locale) if by_customer else reason


def promised_by(renderer: MessageRenderer, promise: Promise) -> dict[str, str]:
    """Who keeps the promise, of which department, and by when."""
    return {
        "due": renderer.times.by(promise.due_at),
        "owner": renderer.person_name(promise.owner_id),
        "department": renderer.department_name(promise.department_id),
    }


def render_promise(renderer: MessageRenderer, promise: Promise, template: str) -> str:
    """The message about a promise: ``promise`` when it is made, ``promise_moved`` later."""
    department = renderer.department_name(promise.department_id)
    locale = renderer.request.customer.locale
    text = localize_promise(promise.wording, promise.text, department, locale)
    return renderer.say(
        template,
        owner=renderer.person_name(promise.owner_id),
        department=department,
        promise=text.rstrip(".") + ".",
        due=renderer.times.by(promise.due_at),
    )
