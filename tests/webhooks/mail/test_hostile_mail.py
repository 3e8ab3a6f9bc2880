"""Mail that costs more to read than to send: refused once, and shown to a person where it counts."""

import random

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as some

from portal.messaging.email.signed_addresses import reply_address
from portal.models import Direction
from portal.operations.conversation.inbound_email import UNREADABLE_MAIL_BODY
from portal.sandbox import Sandbox
from tests.messaging.email.mail_server import MARTIN, TOKEN

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

HOOK = "/hooks/email/inbound"


@pytest.fixture
def settings(settings):
    """Acme Bank's, with mail."""
    return settings.model_copy(update={"mail_from": "Acme Bank <desk@acme.example>"})


@pytest.fixture
def runs(monkeypatch):
    """The tasks that child processes are given."""
    tasks = []
    run = Sandbox.run

    async def counted(self, task, *given):
        tasks.append(task)
        return await run(self, task, *given)

    monkeypatch.setattr(Sandbox, "run", counted)
    return tasks


def nested_multiparts(depth):
    """Each part holds the next."""
    parts = [
        f"Content-Type: multipart/mixed; boundary=b{number}\r\n\r\n--b{number}\r\n"
        for number in range(depth)
    ]
    return "".join(parts) + "\r\nHello"


HOSTILE = {
    "a long content type": "Content-Type: text/plain; " + "a=b; " * 12_000 + "\r\n\r\nHello",
    "many parts": "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + "--b\r\n\r\n" * 30_000,
    "nested multiparts": nested_multiparts(1_000),
    "multiparts of a moderate depth": nested_multiparts(30),
    "nested mails": "Content-Type: message/rfc822\r\n\r\n" * 1_000 + "\r\nHello",
    "a long head": "X-Filler: x\r\n" * 20_000 + "\r\nHello",
}


def write(to, rest):
    return f"From: {MARTIN}\r\nTo: {to}\r\nMessage-ID: <1@example.com>\r\n{rest}".encode()


async def inbound(organisation):
    return [
        message for message in await organisation.messages() if message.direction == Direction.IN
    ]


@pytest.mark.parametrize("rest", HOSTILE.values(), ids=HOSTILE)
async def test_unreadable_mail_of_a_customer_is_refused_once_and_shown_to_a_person(
    rest, client, settings, organisation, card_request
):
    mail = write(reply_address(settings, card_request.id), rest)
    for _ in range(2):
        answer = await client.post(HOOK, content=mail, headers=TOKEN)
        assert answer.status_code == 422
        assert "cannot be read" in answer.text
    [message] = await inbound(organisation)
    assert (message.body, message.request_id) == (UNREADABLE_MAIL_BODY, card_request.id)
    request = await organisation.reload(card_request)
    assert request.unanswered_since is not None
    [promise] = request.promises
    assert promise.owner_id == request.owner_id


@pytest.mark.parametrize("rest", HOSTILE.values(), ids=HOSTILE)
async def test_mail_for_no_request_is_refused_by_its_top_headers(
    rest, client, organisation, card_request, runs
):
    mail = write(f"reply+{card_request.id}-{'0' * 24}@acme.example", rest)
    answer = await client.post(HOOK, content=mail, headers=TOKEN)
    assert answer.status_code == 422
    assert "not for any request" in answer.text
    assert runs == []
    assert await inbound(organisation) == []


async def test_seal_in_the_body_does_not_count(client, settings, organisation, card_request, runs):
    sealed = reply_address(settings, card_request.id)
    mail = write("desk@acme.example", f"\r\nTo: {sealed}\r\n\r\nHello")
    assert (await client.post(HOOK, content=mail, headers=TOKEN)).status_code == 422
    assert runs == []


async def test_automatic_mail_that_cannot_be_read_is_refused_and_owed_nothing(
    client, settings, organisation, card_request
):
    rest = f"Auto-Submitted: auto-replied\r\n{HOSTILE['many parts']}"
    for to in (reply_address(settings, card_request.id), "desk@acme.example"):
        answer = await client.post(HOOK, content=write(to, rest), headers=TOKEN)
        assert answer.status_code == 422
    assert (await organisation.reload(card_request)).unanswered_since is None


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Bearer {}", 204),
        ("bearer {}", 204),
        ("BEARER  {}", 204),
        ("{}", 403),
        ("Basic {}", 403),
        ("Bearer", 403),
        ("Bearer é", 403),
        ("", 403),
    ],
)
async def test_token_needs_the_bearer_scheme(header, status, client, settings, card_request):
    token = settings.mail_hook_token.get_secret_value()
    mail = write(reply_address(settings, card_request.id), "\r\nHello")
    headers = {"Authorization": header.format(token).encode()}
    assert (await client.post(HOOK, content=mail, headers=headers)).status_code == status


async def test_more_mail_than_can_wait_is_brought_again(
    client, app, settings, organisation, card_request
):
    """503 and nothing recorded: the only answer after which a mail server sends it again."""
    app.state.mail_reader._sandbox._max_tasks = 0
    mail = write(reply_address(settings, card_request.id), "\r\nHello")
    assert (await client.post(HOOK, content=mail, headers=TOKEN)).status_code == 503
    assert await inbound(organisation) == []


HEADERS = some.sampled_from(
    [
        "Content-Type: multipart/mixed; boundary=b", "Content-Type: multipart/report; boundary=b",
        "Content-Type: multipart/alternative", "Content-Type: message/rfc822",
        "Content-Type: text/html; charset=nope", "Content-Type: text/plain; charset*=''utf-8",
        "Content-Type: message/delivery-status", "Content-Type: ; ;", "Content-Type: image/jpeg",
        "Content-Disposition: attachment; filename*=utf-8''%ed%a0%80", "Content-Transfer-Encoding: base64",
        "Content-Transfer-Encoding: x-uuencode", "From: " + "(" * 1_500, "From: =?utf-8?q?=ed=a0=80?=",
        "Message-ID: <\x00@x>", "Subject: =?utf-16?b?2AA=?=", "Subject: =?x?q?y?=", "Sender:",
        "Auto-Submitted: auto-replied", "Return-Path: <>", "References: <kept.1.a@x>", " folded",
        "", "--b", "--b--", "Status: 5.1.1", "Action: failed", "Final-Recipient: rfc822; \ud800",
        "<p>&#xd800;</p>", "begin 666 x", "Content-Type: text/plain; " + "a=b; " * 2_000,
    ]
)  # fmt: skip


@effort(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=some.lists(some.one_of(HEADERS, some.text(max_size=30)), max_size=25),
    is_sealed=some.booleans(),
    seed=some.integers(0, 2**32),
)
async def test_no_mail_is_a_server_error(lines, is_sealed, seed, client, settings, card_request):
    """A 5xx would bring the same mail again for days."""
    to = reply_address(settings, card_request.id) if is_sealed else "desk@acme.example"
    first = f"To: {to}\r\nMessage-ID: <{random.Random(seed).random()}@x>"
    mail = "\r\n".join([first, *lines]).encode("utf-8", "surrogatepass")
    answer = await client.post(HOOK, content=mail, headers=TOKEN)
    assert answer.status_code == 204 or 400 <= answer.status_code < 500
