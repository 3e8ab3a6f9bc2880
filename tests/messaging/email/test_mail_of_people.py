"""Replies as people send them: their own words count, and nothing else that stands in the mail."""

from textwrap import indent

import pytest
from sqlmodel import select

from portal.demo.fake_providers.mailbox import Mail
from portal.models import Channel, Consent, Direction, Message, MessageKind, ServiceRequest
from portal.operations import advance, run_due_follow_ups, write_to_customer
from tests.corpus.mail_programs import LANGUAGES, NAMES, PROGRAMS, replies
from tests.messaging.email.mail_server import MARTIN, MailServer, reply
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database


@pytest.fixture
async def asked(organisation: Organisation) -> ServiceRequest:
    """Ben asks Martin whether he wants the repair; the question is open."""
    ben = organisation.people.ben.actor
    request = await organisation.open("repair", by=ben)
    await organisation.run(advance, request, by=ben)
    await organisation.run(run_due_follow_ups, request, by=ben)
    await organisation.run(
        write_to_customer, request, body="See the quote.", channels=[Channel.EMAIL], by=ben
    )
    return request


@pytest.fixture
async def mail(server: MailServer, asked: ServiceRequest) -> Mail:
    """The mail that Martin replies to."""
    return (await server.deliver())[-1]


async def heard(organisation: Organisation) -> list[Message]:
    return [
        message for message in await organisation.messages() if message.direction == Direction.IN
    ]


async def stops(organisation: Organisation) -> list[Consent]:
    async with organisation.database.reading() as session:
        query = select(Consent).where(Consent.granted.is_(False))
        return list((await session.exec(query)).all())


async def is_answered(organisation: Organisation, request: ServiceRequest) -> bool:
    return (await organisation.reload(request)).open_question is None


POLISH, HEBREW = (LANGUAGES[code]["attribution"].format(**NAMES) for code in ("pl", "he"))
JAPANESE = (
    "差出人: Acme Bank <desk@acme.example>\n送信日時: 2026年11月23日 14:05\n宛先: Martin\n件名: x"
)


@pytest.mark.parametrize("header", [POLISH, HEBREW, JAPANESE, ""], ids=["pl", "he", "ja", "none"])
@pytest.mark.parametrize("mark", ["", "> "], ids=["unmarked", "marked"])
async def test_our_own_words_in_a_reply_are_not_theirs(
    header: str, mark: str, server: MailServer, organisation: Organisation, mail: Mail
) -> None:
    quoted = indent(mail.text or "", mark, lambda _: True)
    answer = reply(mail, f"The bell is broken.\n\n{header}\n\n{quoted}")
    assert await server.receive(answer) == 204
    [message] = await heard(organisation)
    assert message.body == "The bell is broken."
    assert await stops(organisation) == []


async def test_answer_below_the_quotation_is_taken(
    server: MailServer, organisation: Organisation, asked: ServiceRequest, mail: Mail
) -> None:
    answer = reply(mail, f"{JAPANESE}\n\n{mail.text}\n\nYes, please\n")
    assert await server.receive(answer) == 204
    [message] = await heard(organisation)
    assert message.body == "Yes, please"
    assert await is_answered(organisation, asked)


async def test_quotation_of_their_own_earlier_mail_is_not_said_again(
    server: MailServer, organisation: Organisation, asked: ServiceRequest, mail: Mail
) -> None:
    assert await server.receive(reply(mail, "Yes")) == 204
    newest = (await server.deliver())[-1]
    own = "W dniu 24.11.2026 o 9:05, Martin Miller <martin@example.com> pisze:\n\nYes"
    words = f"Call me.\n\n{POLISH}\n\n{newest.text}\n\n{own}\n\n{POLISH}\n\n{mail.text}"
    assert await server.receive(reply(newest, words, Message_ID="<2@x>")) == 204
    assert (await heard(organisation))[-1].body == "Call me."


SIGNATURES = {
    "a signature without a mark": (
        "\n\nMartin Miller\nMiller Plumbing Ltd, 12 High St\n"
        "To unsubscribe from our offers reply with UNSUBSCRIBE in the subject."
    ),
    "a disclaimer": (
        "\n\nCONFIDENTIAL: if you are not the addressee please delete this e-mail and notify the"
        " sender. Unauthorised use of this e-mail must cease."
    ),
    "a delimiter": "\n\n-- \nMartin\nStop e-mailing paper: think of the environment",
    "a rule": "\n____________________\nMiller Plumbing, www.miller.example\nUnsubscribe: reply STOP",
    "a phone's line": "\n\nSent from my iPhone\nReply STOP to unsubscribe from this phone",
}


@pytest.mark.parametrize("signature", SIGNATURES.values(), ids=SIGNATURES)
async def test_signature_stops_nothing(
    signature: str, server: MailServer, organisation: Organisation, mail: Mail
) -> None:
    assert await server.receive(reply(mail, f"Yes, please.{signature}")) == 204
    assert await stops(organisation) == []
    kinds = {message.kind for message in await organisation.messages()}
    assert MessageKind.CONSENT not in kinds
    [message] = await heard(organisation)
    assert message.body.startswith("Yes, please.")


async def test_answer_above_a_plain_signature_is_taken(
    server: MailServer, organisation: Organisation, asked: ServiceRequest, mail: Mail
) -> None:
    words = f"Yes, please.{SIGNATURES['a signature without a mark']}"
    assert await server.receive(reply(mail, words)) == 204
    assert await is_answered(organisation, asked)
    [message] = await heard(organisation)
    assert "12 High St" in message.body


async def test_block_at_the_end_of_each_mail_is_a_signature(
    server: MailServer, organisation: Organisation, asked: ServiceRequest, mail: Mail
) -> None:
    block = "\n\nMiller and Sons\nWe stop leaks. Reply STOP and we stop yours."
    await server.receive(reply(mail, f"Thank you.{block}", Message_ID="<1@x>"))
    await server.receive(reply(mail, f"The bell is broken.{block}", Message_ID="<3@x>"))
    stopped = len(await stops(organisation))
    await server.receive(reply(mail, f"Yes{block}", Message_ID="<2@x>"))
    assert len(await stops(organisation)) == stopped
    assert (await heard(organisation))[-1].intent == "yes"


@pytest.mark.parametrize("before", [1, 2])
async def test_complaint_that_is_repeated_is_read_by_a_person(
    before: int,
    server: MailServer,
    organisation: Organisation,
    asked: ServiceRequest,
    mail: Mail,
) -> None:
    """The same words at the end of each e-mail say who writes, or they say something."""
    for number in range(before):
        words = f"Number {number}.\n\nThe lock you repaired is loose again"
        await server.receive(reply(mail, words, Message_ID=f"<{number}@x>"))
    words = "Yes\n\nThe lock you repaired is loose again"
    await server.receive(reply(mail, words, Message_ID="<9@x>"))
    assert (await heard(organisation))[-1].body == words
    assert not await is_answered(organisation, asked)


MORE_THAN_YES = {
    "below a rule": "Yes\n----------\nbut only when the price is below fifty, call me first",
    "below the name": "Yes\n\nMartin\nBut it is broken!",
    "a number below the name": "Yes\n\nMartin\nbut it is broken 415 555 0132",
    "below a device": "Yes\n\nSent from my iPhone\n\nBut it is broken!",
    "of an unknown phone, perhaps": "Yes\n\nSent from my window cleaner, call me first",
}


@pytest.mark.parametrize("case", MORE_THAN_YES)
async def test_words_that_may_be_no_signature_go_to_a_person(
    case: str,
    server: MailServer,
    organisation: Organisation,
    asked: ServiceRequest,
    mail: Mail,
) -> None:
    """They may be theirs: nothing is answered by half, and staff read all of it."""
    words = MORE_THAN_YES[case]
    assert await server.receive(reply(mail, words)) == 204
    [message] = await heard(organisation)
    assert message.body == words
    assert not await is_answered(organisation, asked)
    assert (await organisation.reload(asked)).unanswered_since is not None


QUOTED_QUESTION = "the e-mail that is answered"


@pytest.mark.parametrize(
    "words",
    [
        "Hello\n\nGet a technician for my windows today",
        "Yes\nGet me a refund, my phone number is 4155550132",
        f"But it is broken, and Acme Bank told me:\n\n{QUOTED_QUESTION}",
        f"I waited from 10:00 on 24.11.2026 for this:\n\n{QUOTED_QUESTION}",
    ],
)
async def test_last_line_that_looks_like_a_programs_is_read(
    words: str, server: MailServer, organisation: Organisation, asked: ServiceRequest, mail: Mail
) -> None:
    words = words.replace(QUOTED_QUESTION, indent(mail.text or "", "> "))
    assert await server.receive(reply(mail, words)) == 204
    [message] = await heard(organisation)
    assert message.body == words.partition("\n\n>")[0]
    assert (await organisation.reload(asked)).unanswered_since is not None


@pytest.mark.parametrize(("subject", "count"), [("STOP", 1), ("Re: Stop the repair?", 0)])
async def test_subject_counts_where_a_mail_has_nothing_else(
    subject: str, count: int, server: MailServer, organisation: Organisation, mail: Mail
) -> None:
    answer = reply(mail, "", Subject=subject)
    assert await server.receive(answer) == 204
    assert len(await stops(organisation)) == count


async def test_wish_to_stop_in_their_own_words_is_obeyed(
    server: MailServer, organisation: Organisation, mail: Mail
) -> None:
    quoted = indent(mail.text or "", "> ", lambda _: True)
    words = f"Stop e-mailing me.\n\nMartin\n\n{POLISH}\n\n{quoted}"
    assert await server.receive(reply(mail, words)) == 204
    [stop] = await stops(organisation)
    assert (stop.address, stop.request_id) == (MARTIN, None)


async def test_each_mail_program_in_a_language_that_no_rule_knows(
    server: MailServer, organisation: Organisation, mail: Mail
) -> None:
    """The whole way, with the mail that was really sent."""
    own = {}
    for number, program in enumerate(PROGRAMS):
        all_replies = replies(program, mail.text or "", mail.html or "")
        made = [candidate for candidate in all_replies if " pl " in candidate.id]
        reply_of_program = made[number % len(made)]
        answer = reply(mail, "x", Message_ID=f"<{number}@x>")
        answer.set_content(
            reply_of_program.text, subtype="html" if reply_of_program.is_html else "plain"
        )
        assert await server.receive(answer) == 204
        body = (await heard(organisation))[-1].body
        if body.split() != reply_of_program.own.split():
            own[reply_of_program.id] = body
    assert own == {}
    assert await stops(organisation) == []
