"""A month passes: everything that is due by the clock happens at its time, and people do theirs.

The bank is the shipped card application with its real hours, holidays and quiet hours. What
people and other systems do goes through the API, what the customer does through Twilio's webhook
and the page; workers make their rounds; texts end on a simulated phone. Only time is ours.
"""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import sqlalchemy as sa
import time_machine
from sqlmodel import col

from portal.business_time import now
from portal.models import (
    DETECTION,
    SYSTEM_ACTOR,
    DroppedBall,
    FollowUp,
    Heartbeat,
    Message,
    MessageStatus,
    Role,
    ServiceRequest,
)
from portal.operations import Operations, add_staff, load_workflow
from portal.workflows import read_workflow_file, shipped_workflow_files
from tests.support.fake_gateways import FakeSmsGateway, deliver_due
from tests.support.twilio_client import PHONE, TwilioClient
from workers.detect_dropped_balls import DroppedBallDetector
from workers.sweep import Sweep

NEW_YORK = ZoneInfo("America/New_York")
YEAR = 2025
PEOPLE = {
    "tess": ("Tess Sales", Role.AGENT, "telesales", True),
    "uma": ("Uma Under", Role.AGENT, "underwriting", True),
    "pia": ("Pia Press", Role.AGENT, "processing", True),
    "paul": ("Paul Press", Role.AGENT, "processing", False),
    "cleo": ("Cleo Courier", Role.AGENT, "courier", False),
    "carl": ("Carl Courier", Role.AGENT, "courier", True),
    "mona": ("Mona Manager", Role.MANAGER, None, False),
}
"""Who works at the bank: name, role, department, whether they lead it."""


def moment(text: str) -> datetime:
    """When it is "Tue 3 Jun 10:00" on the clocks of New York, where the bank and Martin are."""
    found = datetime.strptime(f"{text} {YEAR}", "%a %d %b %H:%M %Y").replace(tzinfo=NEW_YORK)
    assert found.strftime("%a") == text[:3], f"{text} was a {found:%A}"
    return found


def shown(at: datetime) -> str:
    """The same the other way round."""
    local = at.astimezone(NEW_YORK)
    return f"{local:%a} {local.day} {local:%b %H:%M}"


class MonthScenario:
    """The bank, its workers and Martin, on one clock."""

    def __init__(
        self,
        operations: Operations,
        clock: time_machine.Traveller,
        api: httpx2.AsyncClient,
        twilio: TwilioClient,
    ) -> None:
        self.operations, self.clock, self.api, self.twilio = operations, clock, api, twilio
        self.sweep = Sweep(operations, lambda: None, "sweep")
        self.watch = DroppedBallDetector(operations, lambda: None)
        self.phone = FakeSmsGateway()
        # What Martin's phone shows, and when each came.
        self.texts: list[tuple[str, str]] = []
        self.reference = ""
        self.replies = 0

    async def seed(self) -> None:
        """The workflow that comes with the product, and its people."""
        card = next(path for path in shipped_workflow_files() if path.stem == "card-application")
        async with self.operations.begin(SYSTEM_ACTOR) as uow:
            await load_workflow(uow, read_workflow_file(card))
            for key, (name, role, department, lead) in PEOPLE.items():
                await add_staff(
                    uow, email=f"{key}@acme.example", name=name, role=role,
                    departments=[department] if department else [], lead=lead,
                )  # fmt: skip

    async def advance_to(self, when: str) -> None:
        """Let time go by until then: what is due happens when it is due, in its order."""
        end = moment(when)
        assert end >= now(), f"{when} is over"
        while (due := await self._next_due()) is not None and due <= end:
            await self._work_at(max(due, now() + timedelta(seconds=1)))
        await self._work_at(max(end, now()))

    async def at(self, when: str, who: str, verb: str, **words: Any) -> None:
        """At that time somebody does something to Martin's request, by a system of the bank."""
        await self.advance_to(when)
        body = {"by": f"{who}@acme.example", **words}
        answer = await self.api.post(f"/requests/{self.reference}/{verb}", json=body)
        assert answer.status_code in (200, 201), answer.text
        await self._work_at(now())

    async def open_request(self, when: str) -> None:
        """Martin applies on the phone; the call centre's system opens the request."""
        await self.advance_to(when)
        customer = {"name": "Martin Keller", "phone": PHONE, "timezone": "America/New_York"}
        order = {"workflow": "card-application", "customer": customer, "by": "tess@acme.example"}
        answer = await self.api.post("/requests", json=order)
        assert answer.status_code == 201, answer.text
        self.reference = answer.json()["reference"]
        await self._work_at(now())

    async def martin_texts(self, when: str, words: str) -> str:
        """Martin writes; gives what he is answered at once."""
        await self.advance_to(when)
        self.replies += 1
        assert await self.twilio.text(words, sid=f"SMin{self.replies}") == 200
        before = len(self.texts)
        await self._work_at(now())
        return " / ".join(body for _, body in self.texts[before:])

    def moment(self, text: str) -> str:
        """As other systems write it."""
        return moment(text).isoformat()

    def phone_shows(self, *texts: tuple[str, str]) -> None:
        """Martin's phone shows these and no others: when each came, and what it says."""
        assert [when for when, _ in self.texts] == [when for when, _ in texts], self.texts
        for (_, body), (when, words) in zip(self.texts, texts, strict=True):
            assert words in body, f"{when}: {body}"

    async def owner(self) -> str:
        """Whose request it is, by first name."""
        return str((await self._request())["owner"]["name"].split()[0])

    async def ended(self) -> tuple[str, str]:
        """How, and when."""
        request = await self._request()
        return request["status"], shown(datetime.fromisoformat(request["closed_at"]))

    async def _request(self) -> dict[str, Any]:
        answer = await self.api.get(f"/requests/{self.reference}")
        return dict(answer.json())

    async def balls(self) -> list[tuple[str, str, str]]:
        """All that has slipped so far, oldest first: when it was raised, what, before whom now."""
        answer = await self.api.get("/dropped-balls", params={"limit": 100})
        return [
            (
                shown(datetime.fromisoformat(one["raised_at"])),
                one["kind"],
                (one["escalated_to"] or one["owner"])["name"].split()[0],
            )
            for one in reversed(answer.json()["items"])
        ]

    async def standing(self) -> int:
        """How much of it nobody has put right."""
        return len((await self.api.get("/dropped-balls", params={"open": "true"})).json()["items"])

    async def _work_at(self, when: datetime) -> None:
        """One round of all workers; none of them has ever been away."""
        self.clock.move_to(when)
        async with self.operations.database.transaction() as session:
            await session.merge(Heartbeat(name=DETECTION, beat_at=now()))
        await self.sweep.once()
        await self.watch.once()
        await deliver_due(self.operations, self.phone)
        self.texts += [(shown(when), body) for body in self.phone.sent_bodies[len(self.texts) :]]

    async def _next_due(self) -> datetime | None:
        """When any of the workers would next find something to do."""
        queued = col(Message.status) == MessageStatus.QUEUED
        standing = col(DroppedBall.resolved_at).is_(None)
        firsts = [
            sa.select(sa.func.min(ServiceRequest.next_check_at)),
            sa.select(sa.func.min(ServiceRequest.next_update_at)),
            sa.select(sa.func.min(FollowUp.next_at)),
            sa.select(sa.func.min(DroppedBall.escalates_at)).where(standing),
            sa.select(sa.func.min(Message.due_at)).where(queued),
        ]
        async with self.operations.database.connection() as connection:
            found = [await connection.scalar(one) for one in firsts]
        return min((one for one in found if one is not None), default=None)
