"""A request that was declined or cancelled is never spoken of as one that is done."""

from dataclasses import replace

import httpx2
import pytest
from time_machine import Traveller

from portal.models import SYSTEM_ACTOR, Answer, Channel, Message, RequestStatus, ServiceRequest
from portal.operations import accept, advance, cancel, run_due_follow_ups, set_preferences
from portal.settings import Settings
from tests.operations.endings.steps import say
from tests.support.desk_client import visible_text
from tests.support.factories import MARTIN, Organisation
from workers.delivery.email_letters import build_message_email

pytestmark = pytest.mark.either_database


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With mail."""
    return settings.model_copy(update={"mail_from": "desk@acme.example"})


GLAD = {
    "en": (
        "is done",
        "all done",
        "thank you for your patience",
        "wonderful",
        "glad",
        "all is well",
    ),
    "es": ("resuelta", "por su paciencia", "estupendo", "todo listo", "alegra"),
    "ar": ("اكتمل", "صبرك", "رائع", "تم كل شيء"),
}
"""What is said of a request that is completed, and of no other."""
ENDS = {
    RequestStatus.DECLINED: {"en": "You decided not to go ahead", "es": "no", "ar": "لم"},
    RequestStatus.CANCELLED: {"en": "was cancelled", "es": "cancel", "ar": "أُلغي"},
}


async def quoted(organisation: Organisation, locale: str, channel: Channel) -> ServiceRequest:
    """Martin's repair, of which the price is asked."""
    ben = {"by": organisation.people.ben.actor}
    request = await organisation.open("repair", replace(MARTIN, locale=locale), **ben)
    await organisation.run(set_preferences, request, preferred_channel=channel, **ben)
    await organisation.run(advance, request, **ben)
    return await organisation.run(run_due_follow_ups, request, by=SYSTEM_ACTOR)


async def ended(
    organisation: Organisation, request: ServiceRequest, status: RequestStatus
) -> ServiceRequest:
    if status == RequestStatus.DECLINED:
        return await say(organisation, request, Answer.NO, via=Channel.SMS)
    why = {"reason": "ZZ-88 is not made any more.", "by": organisation.people.ben.actor}
    return await organisation.run(cancel, request, **why)


@pytest.mark.parametrize("locale", GLAD)
@pytest.mark.parametrize("status", ENDS)
@pytest.mark.parametrize("channel", [Channel.SMS, Channel.EMAIL])
async def test_end_has_words_of_its_own(
    locale: str,
    status: RequestStatus,
    channel: Channel,
    clock: Traveller,
    organisation: Organisation,
    client: httpx2.AsyncClient,
) -> None:
    """In the text, the mail, on the page and on its printed slip."""
    request = await quoted(organisation, locale, channel)
    request = await ended(organisation, request, status)
    assert request.status == status
    last = (await organisation.outbound_messages(request))[-1]
    path = f"/r/{request.live_link.token}"
    page = visible_text((await client.get(path)).text)
    words = [last.body, page, visible_text((await client.get(f"{path}/paper")).text)]
    if last.channel == Channel.EMAIL:
        settings = organisation.operations.settings
        async with organisation.database.transaction() as session:
            (await session.get_one(Message, last.id)).provider_sid = "<claimed@acme.example>"
        mail = await build_message_email(organisation.database, settings, last.id)
        words.append(mail.get_body(("plain",)).get_content())
    for text in words:
        assert not [word for word in GLAD[locale] if word in text.lower()], text
    assert ENDS[status][locale] in page


@pytest.mark.parametrize("locale", GLAD)
async def test_completed_request_is_spoken_of_as_done(
    locale: str, organisation: Organisation
) -> None:
    """So that what no other end says is really said of this one."""
    card = await organisation.open(
        customer=replace(MARTIN, locale=locale), by=organisation.people.tess.actor
    )
    for taker in (organisation.people.uma, organisation.people.pia, organisation.people.carl):
        await organisation.run(advance, card, by=SYSTEM_ACTOR)
        await organisation.run(accept, card, by=taker.actor)
    for note in ("", "", "He has it."):
        await organisation.run(advance, card, note=note, by=organisation.people.carl.actor)
    body = (await organisation.outbound_messages(card))[-1].body
    assert [word for word in GLAD[locale] if word in body.lower()]
