"""A mail that is returned is known as such: its reason, its address, and the other way to go."""

import pytest
from sqlmodel import select

from portal.demo.fake_providers.mailbox import Mail
from portal.messaging.email.inbound import read_mail
from portal.models import (
    BallKind,
    Channel,
    Direction,
    DroppedBall,
    Message,
    MessageKind,
    MessageStatus,
    ServiceRequest,
)
from portal.operations import CustomerDetails, Relay, write_to_customer
from portal.operations.delivery.outcomes import record_receipt
from tests.messaging.email.mail_server import MARTIN, MailServer, bounce
from tests.support.factories import House

pytestmark = pytest.mark.either_database

BY_MAIL_ALONE = CustomerDetails(name="Mary Miller", email=MARTIN)
LONG = "We looked at it and wrote down all that we found. " * 6


@pytest.fixture
async def mailed(house: House, martins: ServiceRequest, server: MailServer) -> ServiceRequest:
    """Tess has written to Martin by mail, and it has gone out."""
    by_mail = {"channels": [Channel.EMAIL], "by": house.people.tess.actor}
    request = await house.do(write_to_customer, martins, body="Please call us.", **by_mail)
    await server.deliver()
    return request


async def letter(house: House, request: ServiceRequest) -> Message:
    """The newest mail to the customer."""
    return [one for one in await house.told(request) if one.channel == Channel.EMAIL][-1]


async def texts(house: House, request: ServiceRequest) -> list[Message]:
    """Texts of the same cause as the newest mail."""
    cause = (await letter(house, request)).cause
    told = await house.told(request)
    return [one for one in told if one.channel == Channel.SMS and one.cause == cause]


async def is_reached_by_mail(house: House, request: ServiceRequest) -> bool:
    found = await house.see(request)
    return any(
        p.channel == Channel.EMAIL and not p.valid_until for p in found.customer.contact_points
    )


async def balls(house: House) -> list[DroppedBall]:
    async with house.database.reading() as session:
        return list((await session.exec(select(DroppedBall))).all())


@pytest.mark.parametrize("returns", ["message/rfc822", "text/rfc822-headers", "sealed"])
async def test_a_mail_returned_for_good_goes_by_text_and_its_address_is_retired(
    returns: str,
    server: MailServer,
    house: House,
    mailed: ServiceRequest,
) -> None:
    """Known by what is returned, or by the address that it is returned to; told twice, done once."""
    (mail,) = await server.deliver()
    message = await letter(house, mailed)
    assert mail.mail_from.startswith(f"bounce+{message.id}-")
    told = {"returns": "", "to": mail.mail_from} if returns == "sealed" else {"returns": returns}
    for _ in range(2):
        assert await server.bring(bounce(mail, **told)) == 204
    message = await letter(house, mailed)
    assert (message.status, message.error_code) == (MessageStatus.UNDELIVERED, "5.1.1")
    assert message.reason == "There is no such mail address."
    assert not await is_reached_by_mail(house, mailed)
    (text,) = await texts(house, mailed)
    assert (text.body.removesuffix(" STOP to end"), text.status) == (message.body, "queued")
    assert await balls(house) == []
    assert await server.deliver() == [mail]  # a bounce is never answered


@pytest.mark.parametrize(
    ("status", "diagnostic", "reason", "retires"),
    [
        ("5.0.0", "smtp; 550 5.1.1 unknown", "There is no such mail address.", True),
        ("5.4.4", "", "There is no mail server for this address.", True),
        ("5.2.1", "", "The mailbox is closed.", True),
        ("5.0.0", "x-unix; away", "The mail was returned for good.", True),
        ("5.2.2", "", "The mailbox is full.", False),
        ("5.6.0", "", "Their mail server could not take the mail's content.", False),
        ("5.7.1", "", "Their mail server does not want our mail.", False),
        ("5.1.8", "", "Their mail server does not accept our address.", False),
        ("4.4.7", "", "Their mail server tried for a while and gave up.", False),
    ],
)
def test_only_what_is_about_the_address_retires_it(status, diagnostic, reason, retires):
    """A full mailbox is emptied one day, a policy changes, and words are not the address's fault."""
    mail = Mail(id=1, mail_from="", rcpt_tos=(), content=b"Message-ID: <kept.1.a@x>\r\n\r\nHi")
    report = read_mail(bounce(mail, status, diagnostic=diagnostic).as_bytes()).report
    assert report is not None
    assert report.verdict.reason == reason
    assert (report.verdict.action == "bad_address") == retires


async def test_an_address_that_only_refused_this_mail_stays(
    server: MailServer, house: House, mailed: ServiceRequest
) -> None:
    """The words come by text all the same."""
    (mail,) = await server.deliver()
    assert await server.bring(bounce(mail, "5.7.1")) == 204
    assert (await letter(house, mailed)).status == MessageStatus.UNDELIVERED
    assert await is_reached_by_mail(house, mailed)
    assert len(await texts(house, mailed)) == 1


async def test_what_is_no_failure_of_this_mail_changes_nothing(
    server: MailServer, house: House, mailed: ServiceRequest
) -> None:
    """A delay, a success, and forgeries: of a mail that we never sent, about another person."""
    (mail,) = await server.deliver()
    before = await letter(house, mailed)
    for told in (
        bounce(mail, "4.4.1", action="delayed").as_bytes(),
        bounce(mail, "2.0.0", action="delivered").as_bytes(),
        bounce(mail, recipient="eve@example.com").as_bytes(),
        bounce(mail).as_bytes().replace(b"<kept.", b"<kept.9"),
        bounce(mail, returns="").as_bytes(),
        b"Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\n\r\n--x--",
    ):
        assert await server.bring(told) == 204
    after = await letter(house, mailed)
    assert (after.status, after.reason) == (before.status, before.reason)
    assert await is_reached_by_mail(house, mailed)
    assert await texts(house, mailed) == []
    assert await balls(house) == []


async def test_a_mail_returned_from_where_it_was_forwarded_leaves_the_address_alone(
    server: MailServer, house: House, mailed: ServiceRequest
) -> None:
    """The seal proves that our mail came back; the address that failed is not the one we know."""
    (mail,) = await server.deliver()
    report = bounce(mail, recipient="martin@old.example", to=mail.mail_from)
    assert await server.bring(report) == 204
    assert (await letter(house, mailed)).status == MessageStatus.UNDELIVERED
    assert await is_reached_by_mail(house, mailed)


async def test_a_return_in_no_standard_form_is_kept_for_staff(
    server: MailServer, house: House, mailed: ServiceRequest
) -> None:
    """No delivery status, but our id in it: set aside on its request. Without it: nothing."""
    (mail,) = await server.deliver()
    told = "Return-Path: <>\r\nTo: desk@acme.example\r\nMessage-ID: <{}@x>\r\n\r\nWe failed. {}"
    ours = mail.header("Message-ID")
    for number, named in enumerate((ours, ours, "<kept.9.aa@acme.example>")):
        assert await server.bring(told.format(number // 2, named).encode()) == 204
    (kept,) = [one for one in await house.messages() if one.direction == Direction.IN]
    assert (kept.kind, kept.request_id) == (MessageKind.AUTOMATIC, mailed.id)
    assert (await letter(house, mailed)).status == MessageStatus.SENT


async def test_nobody_to_fall_back_to_is_a_dropped_ball(server: MailServer, house: House) -> None:
    """Without a phone the owner hears of it, with the reason in plain words."""
    request = await house.open(customer=BY_MAIL_ALONE, by=house.people.tess.actor)
    (mail,) = await server.deliver()
    await server.bring(bounce(mail))
    (ball,) = await balls(house)
    assert (ball.kind, ball.owner_id) == (BallKind.MESSAGE_UNDELIVERED, request.owner_id)
    assert ball.detail == "There is no such mail address."


@pytest.mark.parametrize("first", [Channel.SMS, Channel.EMAIL])
async def test_each_channel_is_tried_once_for_one_cause(
    first: Channel,
    server: MailServer,
    relay: Relay,
    house: House,
    martins: ServiceRequest,
) -> None:
    """A text that fails goes by mail, a mail by text; both failed, a person has it."""
    words = {"body": "Please call us.", "channels": [first], "by": house.people.tess.actor}
    request = await house.do(write_to_customer, martins, **words)
    cause = (await house.told(request))[-1].cause
    for _ in range(2):
        message = [one for one in await house.told(request) if one.cause == cause][-1]
        if message.channel == Channel.EMAIL:
            await server.bring(bounce((await server.deliver())[-1], "5.7.1"))
        else:
            failed = {"sid": f"SM{message.id}", "status": MessageStatus.UNDELIVERED}
            await house.hear(
                record_receipt,
                by=house.people.tess.actor,
                message_id=message.id,
                error_code="30005",
                **failed,
            )
    told = [one for one in await house.told(request) if one.cause == cause]
    assert [one.status for one in told] == [MessageStatus.UNDELIVERED] * 2
    assert {one.channel for one in told} == {Channel.SMS, Channel.EMAIL}
    (ball,) = await balls(house)
    assert (ball.kind, ball.subject) == (BallKind.MESSAGE_UNDELIVERED, f"message:{told[1].id}")


async def test_a_long_letter_goes_by_text_as_a_link_to_where_it_stands(
    server: MailServer, house: House, martins: ServiceRequest
) -> None:
    """One segment, whatever was written."""
    words = {"body": LONG, "channels": [Channel.EMAIL], "by": house.people.tess.actor}
    request = await house.do(write_to_customer, martins, **words)
    await server.bring(bounce((await server.deliver())[-1]))
    (text,) = await texts(house, request)
    assert "Tess has written to you" in text.body
    assert f"/r/{request.links[-1].token}" in text.body
    assert text.segments == 1


async def test_a_letter_that_cannot_be_written_fails_at_once_and_the_next_one_goes(
    server: MailServer, house: House
) -> None:
    """Our own mistake is before a person after the first try; nobody else waits for it."""
    request = await house.open(customer=BY_MAIL_ALONE, by=house.people.tess.actor)
    async with house.database.transaction() as session:
        message = await session.get_one(Message, (await letter(house, request)).id)
        message.provider_sid = "<an id with spaces>"
    await house.do(write_to_customer, request, body="Next.", by=house.people.tess.actor)
    assert [mail.text and "Next." in mail.text for mail in await server.deliver()] == [True]
    first, _ = await house.told(request)
    assert (first.status, first.attempts) == (MessageStatus.FAILED, 1)
    assert first.reason.startswith("This e-mail could not be written")
    (ball,) = await balls(house)
    assert ball.kind == BallKind.MESSAGE_UNDELIVERED
