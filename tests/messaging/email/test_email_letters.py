"""Each kind of message as an e-mail: complete, in one thread, by the chosen channel."""

import re
from datetime import timedelta

import httpx2
from time_machine import Traveller

from portal.business_time import now
from portal.models import SYSTEM_ACTOR, Answer, Channel, MessageKind, MessageStatus, ServiceRequest
from portal.operations import (
    ConsentChange,
    Operations,
    advance,
    answer_follow_up,
    cancel,
    hold,
    make_promise,
    reopen,
    resume,
    run_due_follow_ups,
    set_preferences,
    write_to_customer,
)
from tests.messaging.email.mail_server import MailServer
from tests.support.factories import VISIT, Organisation
from tests.visits.conftest import ENGINEER

WORDS = "Hello Martin,\n\nplease bring:\n- the device\n- 5 > 4 <b>screws</b>\n\nBye"


async def told_by_mail(
    organisation: Organisation, server: MailServer, clock: Traveller
) -> ServiceRequest:
    """A repair whose customer wants mail, with about everything that can be told of one.

    What is told goes out at once: later it might be overtaken.
    """
    ben = {"by": organisation.people.ben.actor}
    request = await organisation.open("repair", **ben)
    await organisation.run(set_preferences, request, preferred_channel=Channel.EMAIL, **ben)
    in_a_week = now() + timedelta(days=7)
    for verb, words in (
        (advance, {}),
        (run_due_follow_ups, {}),
        (run_due_follow_ups, {}),
        (hold, {"reason": "The part is late."}),
        (resume, {}),
        (make_promise, {"text": "I call you.", "due_at": in_a_week}),
        (write_to_customer, {"body": WORDS}),
        (cancel, {"reason": "You asked for it."}),
        (reopen, {"reason": "We were wrong."}),
    ):
        await organisation.run(verb, request, **words, **ben)
        await server.deliver()
        if verb is run_due_follow_ups:
            clock.shift(timedelta(days=1, minutes=1))
    return await organisation.reload(request)


async def test_every_kind_is_sent_by_the_chosen_channel_in_one_thread(
    clock: Traveller, server: MailServer, organisation: Organisation
) -> None:
    """A subject that says what has happened, the first mail referred to, a way to answer and a way to stop, in each."""
    request = await told_by_mail(organisation, server, clock)
    first, *later = await organisation.outbound_messages(request)
    assert first.channel == Channel.SMS
    assert {message.channel for message in later} == {Channel.EMAIL}
    kinds = {message.kind for message in later}
    assert kinds >= {
        MessageKind.MILESTONE,
        MessageKind.FOLLOW_UP,
        MessageKind.REMINDER,
        MessageKind.HOLD,
        MessageKind.RESUMED,
        MessageKind.PROMISE,
        MessageKind.STAFF,
        MessageKind.CANCELLED,
    }
    mails = await server.deliver()
    assert len(mails) == len(later)
    opening = mails[0].header("Message-ID")
    link = f"/r/{request.links[-1].token}"
    for mail in mails:
        asks_or_ends = (": Device repair", "?")
        assert mail.subject.endswith(asks_or_ends), "what has happened, to which request"
        assert request.reference in (mail.text or "")
        assert (mail.header("References") or opening) == opening
        assert mail.header("Auto-Submitted").startswith("auto-")
        assert mail.header("Reply-To")
        assert mail.header("List-Unsubscribe").endswith(f"{link}/unsubscribe>")
        text, html = mail.text or "", mail.html or ""
        assert link in text
        assert link in html
        assert "STOP to end" not in text + html
        assert "Acme Bank: " not in text  # it stands in the mail's head
        assert not re.search(r"\{[{%]", text + html), "a template is rendered whole"
        assert re.sub(r"\W+", "", text.split("\n")[0]) in re.sub(r"\W+", "", html)


async def test_question_links_do_not_answer_when_opened(
    clock: Traveller, client: httpx2.AsyncClient, server: MailServer, organisation: Organisation
) -> None:
    """They lead to the two buttons of the page; a program that follows every link says nothing."""
    ben = {"by": organisation.people.ben.actor}
    request = await organisation.open("repair", **ben)
    await organisation.run(set_preferences, request, preferred_channel=Channel.EMAIL, **ben)
    await organisation.run(advance, request, **ben)
    await organisation.run(run_due_follow_ups, request, **ben)
    mail = next(mail for mail in await server.deliver() if "#answer-yes" in (mail.text or ""))
    assert "The repair costs 80 dollars. Shall we go ahead?" in (mail.text or "")
    assert "Reply YES" not in (mail.text or "")
    for given in ("yes", "no"):
        (url,) = re.findall(rf'href="([^"]+#answer-{given})"', mail.html or "")
        page = await client.get(url.partition("#")[0])
        assert f'id="answer-{given}"' in page.text
    assert (await organisation.reload(request)).open_question is not None


async def test_appointment_mail_links_to_the_calendar(
    clock: Traveller, client: httpx2.AsyncClient, server: MailServer, organisation: Organisation
) -> None:
    """By a link as any other, so that it still tells the right time when that has changed."""
    await organisation.load(VISIT)
    visit = await organisation.open("fibre", by=SYSTEM_ACTOR)
    await organisation.run(run_due_follow_ups, visit, by=SYSTEM_ACTOR)
    async with organisation.operations.begin(SYSTEM_ACTOR) as uow:
        held = await uow.lock(visit.reference)
        tomorrow = now() + timedelta(days=1)
        await answer_follow_up(
            uow, held, held.open_question, Answer.YES, at=tomorrow, via=Channel.EMAIL
        )
    mail = (await server.deliver())[-1]
    assert "Booked, Martin: Wed 4 Jun" in (mail.text or "")
    (url,) = re.findall(r'href="([^"]+\.ics)"', mail.html or "")
    assert url in (mail.text or "")
    assert f"DTSTART:{tomorrow:%Y%m%dT%H%M%SZ}" in (await client.get(url)).text


async def test_mail_about_a_visit_links_to_the_free_windows(
    clock: Traveller, client: httpx2.AsyncClient, server: MailServer, organisation: Organisation
) -> None:
    """No button says yes or no to "When may our engineer come?"."""
    await organisation.load(ENGINEER)
    line = await organisation.open("engineer", by=SYSTEM_ACTOR)
    mail_only = {"preferred_channel": Channel.EMAIL, "by": SYSTEM_ACTOR}
    await organisation.run(set_preferences, line, **mail_only)
    await organisation.run(run_due_follow_ups, line, by=SYSTEM_ACTOR)
    mail = (await server.deliver())[-1]
    assert "#answer-yes" not in (mail.html or "")
    (url,) = re.findall(r'href="([^"]+#answer-at)"', mail.html or "")
    page = await client.get(url.partition("#")[0])
    assert '<select id="answer-at"' in page.text


async def test_staff_message_keeps_its_line_breaks(
    server: MailServer, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """In paragraphs, with its lines, under the writer's first name, and never as markup."""
    by_mail = {"channels": [Channel.EMAIL], "by": organisation.people.tess.actor}
    await organisation.run(write_to_customer, card_request, body=WORDS, **by_mail)
    (mail,) = await server.deliver()
    text, html = (mail.text or "").replace("\r\n", "\n"), mail.html or ""
    assert text.startswith(f"Tess wrote to you\n\n{WORDS}\n\nTess\n")
    assert re.search(r"please bring:<br>\s*- the device<br>", html)
    assert "5 &gt; 4 &lt;b&gt;screws&lt;/b&gt;" in html


async def test_opt_out_of_one_channel_uses_the_other(
    organisation: Organisation, card_request: ServiceRequest, server: MailServer
) -> None:
    """Whichever is preferred; both stopped, nothing goes and the row says why."""
    tess = {"by": organisation.people.tess.actor}
    ways = []
    for channel in (Channel.SMS, Channel.EMAIL):
        stop = ConsentChange(stop=True, about="all", channels=(channel,))
        await organisation.run(
            set_preferences, card_request, preferred_channel=channel, consent_change=stop, **tess
        )
        await organisation.run(write_to_customer, card_request, body=f"Without {channel}.", **tess)
        last = (await organisation.outbound_messages(card_request))[-1]
        ways.append((last.channel, last.status))
    assert ways[0] == (Channel.EMAIL, MessageStatus.QUEUED)
    assert ways[1][1] == MessageStatus.SUPPRESSED


async def test_reply_to_an_unknown_address_is_sent(
    operations: Operations, organisation: Organisation, server: MailServer
) -> None:
    """No link to a page that is not theirs, no thread, nothing to stop; and no error."""
    async with operations.begin(organisation.people.tess.actor) as uow:
        await uow.outbox.queue_reply_to_address(
            MessageKind.CONSENT,
            "test",
            "Acme Bank: You will get our e-mails again.",
            channel=Channel.EMAIL,
            address="stranger@example.com",
        )
    (mail,) = await server.deliver("stranger@example.com")
    assert "You will get our e-mails again." in (mail.text or "")
    assert "/r/" not in (mail.text or "") + (mail.html or "")
    assert not mail.header("List-Unsubscribe")
    (message,) = await organisation.messages()
    assert message.status == MessageStatus.SENT
