"""What a third party reports, as it reads in each language."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from portal.i18n.languages import ENGLISH, Language
from portal.i18n.lazy_string import LazyString
from portal.messaging.wording.renderer import MessageRenderer
from portal.models import StageRun, ThirdPartyCode

CODE_WORDS: Mapping[ThirdPartyCode, LazyString] = {
    ThirdPartyCode.INFORMATION_RECEIVED: LazyString("Announced to the carrier"),
    ThirdPartyCode.PICKED_UP: LazyString("Picked up by the carrier"),
    ThirdPartyCode.IN_TRANSIT: LazyString("On its way"),
    ThirdPartyCode.AT_DEPOT: LazyString("At a depot"),
    ThirdPartyCode.OUT_FOR_DELIVERY: LazyString("Out for delivery"),
    ThirdPartyCode.ATTEMPTED: LazyString("A delivery was tried"),
    ThirdPartyCode.AVAILABLE_FOR_PICKUP: LazyString("Ready for you to pick up"),
    ThirdPartyCode.DELIVERED: LazyString("Delivered"),
    ThirdPartyCode.EXCEPTION: LazyString("A problem on the way"),
    ThirdPartyCode.RETURNING: LazyString("On its way back to us"),
}
"""Each code as customers and staff read it."""


NEWS_TEXTS = {
    ThirdPartyCode.OUT_FOR_DELIVERY: "out_for_delivery",
    ThirdPartyCode.ATTEMPTED: "delivery_attempted",
    ThirdPartyCode.AVAILABLE_FOR_PICKUP: "ready_for_pickup",
}
"""The text about each code of which the customer is told at once: they stay in, or go there."""


def code_words(code: str | None) -> LazyString | None:
    """The words for a code as it is stored; None for none, and for one of a later release."""
    return CODE_WORDS.get(ThirdPartyCode(code)) if code in set(ThirdPartyCode) else None


def report_text(data: Mapping[str, Any], language: Language = ENGLISH) -> str:
    """The report in the data of an event: "Out for delivery, Newark: In the van"."""
    words = code_words(data.get("code"))
    known = ", ".join(filter(None, [language.say(words or ""), data.get("place", "")]))
    return ": ".join(filter(None, [known, data["words"]]))


def reported_at(data: Mapping[str, Any]) -> datetime:
    """When it was, in UTC."""
    return datetime.fromisoformat(data["at"])


def third_party_template(
    renderer: MessageRenderer, run: StageRun, fields: dict[str, str]
) -> tuple[str, dict[str, str]]:
    """Whom a stage waits for, and how long it takes afterwards where something is left to do.

    Gives the name of the template and its fields.
    """
    arrival, party = renderer.arrival(), awaited_party(renderer, run)
    if party:
        fields = fields | {"party": party}
    if arrival is None or arrival.duration is None:
        return "status_third_party", fields
    return "status_third_party_then", fields | {"length": renderer.times.about(arrival.duration)}


def awaited_party(renderer: MessageRenderer, run: StageRun) -> str:
    """The third party for which a stage waits, in the customer's language; empty for none."""
    request = renderer.request
    party = request.definition.stage(run.stage_key).third_party_awaited
    return party.in_language(request.customer.locale) if party is not None else ""


def render_news(renderer: MessageRenderer, run: StageRun) -> str | None:
    """The text about what the third party reported last; None where the page alone says it.

    Their own words stand on the page only: we do not know what is in them.
    """
    template = NEWS_TEXTS.get(run.third_party_code) if run.third_party_code else None
    return renderer.say(template, run, third_party=run.third_party) if template else None


def render_third_party(renderer: MessageRenderer, run: StageRun) -> str:
    """The message about a stage that waits for a third party: nobody of ours gives a date for it."""
    template, fields = third_party_template(renderer, run, {})
    return renderer.say(template, run, **fields)
