"""A month in which people and workers act at their times.

The bank is the shipped card application with its real hours, holidays and quiet hours. What
people and other systems do goes through the API, what the customer does through Twilio's webhook
and the page; workers make their rounds; texts end on a simulated phone. Only time is ours.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import time_machine

from portal.business_time import now
from portal.demo.sample_data.staff import SampleStaff, add_sample_staff
from portal.models import SYSTEM_ACTOR
from portal.operations import Operations, load_workflow
from portal.workflows import read_workflow_file, shipped_workflow_files
from tests.stories.worker_rounds import WorkerRounds
from tests.support.factories import CAST, MARTIN
from tests.support.fake_gateways import FakeSmsGateway
from tests.support.twilio_client import PHONE, TwilioClient

NEW_YORK = ZoneInfo("America/New_York")
YEAR = 2025
CLEO = SampleStaff("Cleo Courier", helps=("courier",), mailbox="cleo")
PEOPLE = (
    *(CAST[key] for key in ("tess", "uma", "pia", "paul")), CLEO, CAST["carl"], CAST["mona"],
)  # fmt: skip


def moment(text: str) -> datetime:
    """The moment of "Tue 3 Jun 10:00" in New York, where the bank and Martin are."""
    found = datetime.strptime(f"{text} {YEAR}", "%a %d %b %H:%M %Y").replace(tzinfo=NEW_YORK)
    assert found.strftime("%a") == text[:3], f"{text} was a {found:%A}"
    return found


def shown(at: datetime) -> str:
    """A moment as "Tue 3 Jun 10:00" in New York."""
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
        self.operations, self.api, self.twilio = operations, api, twilio
        self.phone = FakeSmsGateway()
        self.rounds = WorkerRounds(operations, clock, self.phone, on_round=self._note_texts)
        # The texts on Martin's phone, and when each arrived.
        self.texts: list[tuple[str, str]] = []
        self.reference = ""
        self.replies = 0

    async def seed(self) -> None:
        """Load the shipped workflow and add the staff."""
        card = next(path for path in shipped_workflow_files() if path.stem == "card-application")
        async with self.operations.begin(SYSTEM_ACTOR) as uow:
            await load_workflow(uow, read_workflow_file(card))
            await add_sample_staff(uow, people=PEOPLE)

    async def advance_to(self, when: str) -> None:
        """Move the clock until then; everything due happens at its time, in order."""
        await self.rounds.advance_to(moment(when))

    async def at(self, when: str, who: str, verb: str, **words: Any) -> None:
        """At that time a colleague acts on Martin's request, by the API."""
        await self.advance_to(when)
        body = {"by": f"{who}@acme.example", **words}
        answer = await self.api.post(f"/requests/{self.reference}/{verb}", json=body)
        assert answer.status_code in (200, 201), answer.text
        await self.rounds.work_at(now())

    async def open_request(self, when: str) -> None:
        """Martin applies on the phone; the call centre's system opens the request."""
        await self.advance_to(when)
        customer = {"name": MARTIN.name, "phone": PHONE, "timezone": MARTIN.timezone}
        order = {"workflow": "card-application", "customer": customer, "by": "tess@acme.example"}
        answer = await self.api.post("/requests", json=order)
        assert answer.status_code == 201, answer.text
        self.reference = answer.json()["reference"]
        await self.rounds.work_at(now())

    async def martin_texts(self, when: str, words: str) -> str:
        """Martin writes; gives the immediate answers."""
        await self.advance_to(when)
        self.replies += 1
        assert await self.twilio.text(words, sid=f"SMin{self.replies}") == 200
        before = len(self.texts)
        await self.rounds.work_at(now())
        return " / ".join(body for _, body in self.texts[before:])

    def moment(self, text: str) -> str:
        """A moment as other systems write it."""
        return moment(text).isoformat()

    def phone_shows(self, *texts: tuple[str, str]) -> None:
        """Assert that Martin's phone shows exactly these texts: when each came, and a part of it."""
        assert [when for when, _ in self.texts] == [when for when, _ in texts], self.texts
        for (_, body), (when, words) in zip(self.texts, texts, strict=True):
            assert words in body, f"{when}: {body}"

    async def owner(self) -> str:
        """The first name of the owner."""
        return str((await self._request())["owner"]["name"].split()[0])

    async def ended(self) -> tuple[str, str]:
        """The final status, and when it was reached."""
        request = await self._request()
        return request["status"], shown(datetime.fromisoformat(request["closed_at"]))

    async def _request(self) -> dict[str, Any]:
        answer = await self.api.get(f"/requests/{self.reference}")
        return dict(answer.json())

    async def balls(self) -> list[tuple[str, str, str]]:
        """All dropped balls so far, oldest first: when each was raised, its kind, its assignee."""
        answer = await self.api.get("/dropped-balls", params={"limit": 100})
        return [
            (
                shown(datetime.fromisoformat(item["raised_at"])),
                item["kind"],
                (item["escalated_to"] or item["owner"])["name"].split()[0],
            )
            for item in reversed(answer.json()["items"])
        ]

    async def standing(self) -> int:
        """The number of open dropped balls."""
        return len((await self.api.get("/dropped-balls", params={"open": "true"})).json()["items"])

    async def _note_texts(self) -> None:
        """Note the texts that have arrived in this round."""
        arrived = self.phone.sent_bodies[len(self.texts) :]
        self.texts += [(shown(now()), body) for body in arrived]
