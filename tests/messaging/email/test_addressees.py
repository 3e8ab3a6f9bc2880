"""Which requests an e-mail reaches, and what counts as the same e-mail."""

import pytest

from portal.demo.fake_providers.mailbox import Mail
from portal.messaging.email.signed_addresses import reply_address
from portal.messaging.wording.delivery_reasons import message_reason
from portal.models import Channel, DeliveryReason, Direction, Message, ServiceRequest
from portal.operations import advance, run_due_follow_ups, write_to_customer
from portal.settings import Settings
from tests.messaging.email.mail_server import MARTIN, MailServer, reply
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database


@pytest.fixture
async def mail(server: MailServer, mailed: ServiceRequest) -> Mail:
    return (await server.deliver())[-1]


async def heard(organisation: Organisation) -> list[Message]:
    return [
        message for message in await organisation.messages() if message.direction == Direction.IN
    ]


async def test_mail_to_two_reply_addresses_reaches_both_requests_once(
    server: MailServer,
    settings: Settings,
    organisation: Organisation,
    mailed: ServiceRequest,
    mail: Mail,
) -> None:
    other = await organisation.open("repair", by=organisation.people.ben.actor)
    answer = reply(mail, "Please call me about both.")
    answer["Cc"] = reply_address(settings, other.id or 0)
    for _ in range(2):
        assert await server.receive(answer) == 204
    assert {message.request_id for message in await heard(organisation)} == {mailed.id, other.id}
    assert len(await heard(organisation)) == 2
    for request in (mailed, other):
        assert (await organisation.reload(request)).unanswered_since is not None


async def test_message_id_that_repeats_with_other_words_is_another_mail(
    server: MailServer, organisation: Organisation, mailed: ServiceRequest, mail: Mail
) -> None:
    for words in ("The bell is broken.", "The door too.", "The bell is broken."):
        assert await server.receive(reply(mail, words, Message_ID="<1@phone>")) == 204
    assert [message.body for message in await heard(organisation)] == [
        "The bell is broken.",
        "The door too.",
    ]
    last = (await server.deliver())[-1]
    assert last.header("In-Reply-To") == "<1@phone>"


async def test_reply_to_our_sender_reaches_its_request_unproven(
    server: MailServer, organisation: Organisation
) -> None:
    ben = organisation.people.ben.actor
    request = await organisation.open("repair", by=ben)
    await organisation.run(advance, request, by=ben)
    await organisation.run(run_due_follow_ups, request, by=ben)
    by_mail = {"channels": [Channel.EMAIL], "by": ben}
    await organisation.run(write_to_customer, request, body="See the quote.", **by_mail)
    mail = (await server.deliver())[-1]
    answer = reply(mail, "Yes", From=MARTIN, To="desk@acme.example")
    assert await server.receive(answer) == 204
    [message] = await heard(organisation)
    assert (message.request_id, message.reason) == (request.id, DeliveryReason.UNPROVEN_SENDER)
    assert message_reason(message).startswith("Answers our e-mail, but not to its reply address")
    after = await organisation.reload(request)
    assert after.open_question is not None
    assert after.unanswered_since is not None


async def test_reply_to_our_sender_that_names_no_mail_of_ours_is_refused(
    server: MailServer, organisation: Organisation, mail: Mail
) -> None:
    forged = {"In_Reply_To": "<kept.1.abc@acme.example>", "References": "<1@x>"}
    answer = reply(mail, "Hello", To="desk@acme.example", **forged)
    assert await server.receive(answer) == 422
    assert await heard(organisation) == []
