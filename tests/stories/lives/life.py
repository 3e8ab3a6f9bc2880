"""One customer's request from the first text to the last, through the real edges.

Staff and other systems act by the API, the customer by Twilio's webhook, by e-mail and on the page.
Texts end on a simulated phone, mails in a simulated mailbox. Only the network and the time are not
real.
"""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from email.message import EmailMessage
from typing import Any, cast
from zoneinfo import ZoneInfo

import httpx2
import time_machine

from portal.business_time import now
from portal.demo.sample_data.staff import SAMPLE_STAFF, add_sample_staff
from portal.messaging.email.signed_addresses import reply_address
from portal.messaging.email.smtp import SmtpClient
from portal.messaging.sms.twilio_client import Accepted
from portal.models import SYSTEM_ACTOR
from portal.operations import CustomerDetails, Operations, load_workflow
from portal.queries.requests import get_service_request
from portal.workflows import read_workflow_file, shipped_workflow_files
from tests.messaging.email.mail_server import TOKEN
from tests.stories.lives.transcript import Transcript
from tests.stories.worker_rounds import WorkerRounds
from tests.support.fake_gateways import FakeSmsGateway
from tests.support.twilio_client import TwilioClient
from workers.delivery.claim import OutgoingMessage
from workers.delivery.gateways import SmtpGateway

YEAR = 2025
TIMES = frozenset({"at", "due_at", "expected_by", "until"})
EMAIL_OF = {person.name.split()[0]: person.email for person in SAMPLE_STAFF}


@dataclass
class Phone(FakeSmsGateway):
    """The customers' phones: each text with the id of its message and its number."""

    received: list[tuple[int, str, str]] = field(default_factory=list)

    async def send(self, message: OutgoingMessage, check_claim: Callable[[], None]) -> Accepted:
        """Accept the text."""
        accepted = await super().send(message, check_claim)
        self.received.append((message.id, message.to_address, self.sent_bodies[-1]))
        return accepted


@dataclass
class Mailbox:
    """Every mail, as ``SmtpClient`` sends it."""

    received: list[EmailMessage] = field(default_factory=list)

    async def send(self, message: EmailMessage, envelope_from: str = "") -> None:
        """Accept the mail."""
        del envelope_from
        self.received.append(message)


@dataclass
class Edges:
    """Where a life meets the product."""

    operations: Operations
    clock: time_machine.Traveller
    api: httpx2.AsyncClient
    browser: httpx2.AsyncClient
    twilio: TwilioClient


class Life:
    """One customer, their request, the staff and the workers, on one clock.

    A time is "Tue 3 Jun 10:00" on the customer's clock; before each act everything that is due
    until then happens at its time.
    """

    def __init__(self, edges: Edges, customer: CustomerDetails, title: str) -> None:
        self._edges, self._customer = edges, customer
        self._zone = ZoneInfo(customer.timezone or "UTC")
        self.name = customer.name.split()[0]
        self.transcript = Transcript(title, self._zone)
        self._phone, self._mailbox = Phone(), Mailbox()
        operations = edges.operations
        mail = SmtpGateway(
            cast(SmtpClient, self._mailbox), operations.database, operations.settings
        )
        self._rounds = WorkerRounds(
            operations, edges.clock, self._phone, mail, on_round=self._read_new
        )
        self._reference = self._path = ""
        self._sent = self._texts_read = self._mails_read = 0
        self._looks = False

    async def opens(self, when: str, who: str, workflow: str, **order: str) -> None:
        """A colleague opens the request, with the shipped workflows and the sample staff."""
        async with self._edges.operations.begin(SYSTEM_ACTOR) as uow:
            for path in shipped_workflow_files():
                await load_workflow(uow, read_workflow_file(path))
            await add_sample_staff(uow)
        at = self.moment(when)
        await self._rounds.advance_to(at)
        customer = {key: value for key, value in asdict(self._customer).items() if value}
        body = {"workflow": workflow, "customer": customer, "by": EMAIL_OF[who], **order}
        answer = await self._edges.api.post("/requests", json=body)
        assert answer.status_code == 201, answer.text
        opened = answer.json()
        self._reference = opened["reference"]
        origin, _, token = opened["status_url"].rpartition("/r/")
        self._path = f"/r/{token}"
        prefix, _, _ = self._reference.partition("-")
        self.transcript.stands_for = {
            "[link]": f"{origin}/r/{token}", f"{prefix}-7K4M-2Q9": self._reference,
        }  # fmt: skip
        self.transcript.add(at, f"{who} opens the request", *order.values())
        self._looks = True
        await self._rounds.work_at(now())

    async def staff(self, when: str, who: str, verb: str, **words: Any) -> None:
        """At that time a colleague acts on the request."""
        said = [f"{name}: {_shown(value)}" for name, value in words.items() if name != "content"]
        times = {
            name: self.moment(value).isoformat() for name, value in words.items() if name in TIMES
        }
        await self._begin(when, f"{who}: {verb}", *said)
        await self._post(verb, {"by": EMAIL_OF[who], **words, **times})

    async def carrier(self, when: str, **event: str) -> None:
        """The courier's system reports what has happened at that time."""
        await self._begin(when, "the courier reports", ", ".join(event.values()))
        await self._post("third-party-events", {"time": self.moment(when).isoformat(), **event})

    async def texts(self, when: str, words: str) -> None:
        """The customer texts."""
        await self._begin(when, f"{self.name} texts", words)
        sender = {"From": self._customer.phone or ""}
        assert await self._edges.twilio.text(words, sid=f"SMin{self._count()}", **sender) == 200
        await self._rounds.work_at(now())

    async def mails(self, when: str, words: str) -> None:
        """The customer answers the last mail."""
        await self._begin(when, f"{self.name} writes an e-mail", words)
        operations = self._edges.operations
        async with operations.database.reading() as session:
            request = await get_service_request(session, self._reference)
        mail = EmailMessage()
        mail["From"] = self._customer.email
        mail["To"] = reply_address(operations.settings, request.id or 0)
        mail["Message-ID"] = f"<{self._count()}@example.com>"
        mail.set_content(words)
        answer = await self._edges.browser.post(
            "/hooks/email/inbound", content=mail.as_bytes(), headers=TOKEN
        )
        assert answer.status_code == 204, answer.text
        await self._rounds.work_at(now())

    async def presses(self, when: str, answer: str) -> None:
        """The customer presses yes, wrong or no on the page."""
        await self._begin(when, f"{self.name} presses {answer} on the page")
        asked = re.search(r'name="follow_up" value="(\d+)"', await self._page())
        assert asked, "no question on the page"
        await self.posts("answers", {"follow_up": asked[1], "answer": answer})

    async def writes_on_page(self, when: str, words: str) -> None:
        """The customer writes on the page."""
        await self._begin(when, f"{self.name} writes on the page", words)
        await self.posts("messages", {"body": words})

    async def sends_file(self, when: str, name: str, content: bytes, **form: str) -> None:
        """The customer sends a PDF on the page."""
        await self._begin(when, f"{self.name} sends {name} on the page")
        files = [("file", (name, content, "application/pdf"))]
        await self.posts("messages", form, files=files)

    async def withdraws(self, when: str, reason: str) -> None:
        """The customer proves by a code who they are, and withdraws the request on the page."""
        await self._begin(when, f"{self.name} presses Withdraw this request on the page")
        await self.posts("code", {"to": "withdraw"})
        code = re.search(r"#(\d{6})", self._phone.received[-1][2])
        assert code, "no code"
        self.transcript.stands_for["123456"] = code[1]
        await self.posts("code", {"to": "withdraw", "code": code[1]})
        self.transcript.add(now(), f"{self.name} presses Yes, withdraw it", reason)
        await self.posts("withdraw", {"do": "withdraw", "reason": reason})

    async def posts(self, form: str, fields: dict[str, str], **more: Any) -> None:
        """The customer's browser sends a form of the page."""
        answer = await self._edges.browser.post(
            f"{self._path}/{form}", data=fields, headers={"Origin": "http://testserver"}, **more
        )
        assert answer.status_code == 303, answer.text
        await self._rounds.work_at(now())

    async def until(self, when: str) -> None:
        """Nobody acts until then; the customer looks at the page."""
        await self._rounds.advance_to(self.moment(when))
        self.transcript.add_page(now(), await self._page())

    def moment(self, text: str) -> datetime:
        """The moment of "Tue 3 Jun 10:00" on the customer's clock."""
        naive = datetime.strptime(f"{text} {YEAR}", "%a %d %b %H:%M %Y")  # noqa: DTZ007 (local)
        found = naive.replace(tzinfo=self._zone)
        assert found.strftime("%a") == text[:3], f"{text} was a {found:%A}"
        return found

    async def _begin(self, when: str, what: str, *lines: str) -> None:
        await self._rounds.advance_to(self.moment(when))
        self.transcript.add(now(), what, *lines)
        self._looks = True

    async def _post(self, verb: str, body: dict[str, Any]) -> None:
        answer = await self._edges.api.post(f"/requests/{self._reference}/{verb}", json=body)
        assert answer.status_code in (200, 201), answer.text
        await self._rounds.work_at(now())

    async def _page(self) -> str:
        answer = await self._edges.browser.get(self._path)
        assert answer.status_code == 200, answer.text
        return answer.text

    async def _read_new(self) -> None:
        """Note the texts and mails of this round; after one, or an act, look at the page."""
        texts, mails = self._phone.received[:], self._mailbox.received[:]
        for _, number, body in sorted(texts[self._texts_read :]):
            if number == self._customer.phone:
                self.transcript.add(now(), f"TEXT to {self.name}", body)
                self._looks = True
        for mail in mails[self._mails_read :]:
            if mail["To"].addresses[0].addr_spec == self._customer.email:
                self.transcript.add_mail(now(), self.name, mail)
                self._looks = True
        self._texts_read, self._mails_read = len(texts), len(mails)
        if self._looks and self._path:
            self.transcript.add_page(now(), await self._page())
            self._looks = False

    def _count(self) -> int:
        self._sent += 1
        return self._sent


def _shown(value: Any) -> str:
    """The fields of a question as words."""
    return ", ".join(map(str, value.values())) if isinstance(value, dict) else str(value)
