"""What customers and staff do in a chaos run: requests are opened and advanced, texts answered."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

import httpx2

from portal.business_time import now
from portal.demo.fake_providers import FakeProviders

ERRAND_WORKFLOW = """
key = "errand"
name = "Errand"
timezone = "America/New_York"
prefix = "ERR"

[departments.telesales]
name = "Telesales"
[departments.courier]
name = "Courier Desk"

[[stages]]
key = "asked"
department = "telesales"
title = "We have your errand"
expected = "4h"

[[stages]]
key = "bought"
department = "telesales"
title = "We are buying it"
expected = "1d"

[[stages]]
key = "brought"
department = "courier"
title = "It is on its way to you"
expected = "1d"

[[stages]]
key = "arrived"
department = "courier"
title = "It has arrived"
expected = "1d"
"""
STAGES = ("asked", "bought", "brought")
"""Those that staff complete in a run; the last one stays open."""
HANDED_OVER = "bought"
"""After it comes another department, which takes it up."""

WORDS = ("Where is it?", "Thanks", "Can you ring the bell twice?", "Is it blue?", "HELP")
TRIES = 60


@dataclass
class ConsentChange:
    """A stop or a start: it was written no sooner, and known to us no later, than this."""

    stop: bool
    written_at: datetime
    known_at: datetime


@dataclass
class Workload:
    """Everything that was asked for and answered for: what the reckoning starts from."""

    api: httpx2.AsyncClient
    carrier: FakeProviders
    dice: Random
    on_action: Callable[[], None]
    opened: dict[str, str] = field(default_factory=dict)
    """References by our own name for the errand."""
    advanced: int = 0
    heard: set[str] = field(default_factory=set)
    """The sids of what customers wrote."""
    wishes: dict[str, list[ConsentChange]] = field(default_factory=dict)
    """Stops and starts by phone, in order."""

    async def run(self, customers: int, at_once: int = 8) -> None:
        """Let so many customers have their errands done, ``at_once`` at the same time."""
        room = asyncio.Semaphore(at_once)

        async def one(number: int) -> None:
            async with room:
                await self._errands(number)

        async with asyncio.TaskGroup() as group:
            for number in range(customers):
                group.create_task(one(number))

    async def _errands(self, number: int) -> None:
        phone = f"+1415201{number:04d}"
        customer = {"name": "Martin Miller", "phone": phone}
        if number % 3 == 0:
            customer["email"] = f"martin{number}@example.com"
        errands = [f"errand-{number}-{n}" for n in range(1 + (number % 5 == 0))]
        for errand in errands:
            order = {"workflow": "errand", "customer": customer, "external_id": errand}
            made = await self._call("/requests", order, errand)
            self.opened[errand] = made["reference"]
            self.on_action()
        for stage in STAGES:
            for errand in errands:
                await self._maybe_write(phone)
                request = f"/requests/{self.opened[errand]}"
                await self._call(f"{request}/advance", {"stage": stage}, f"{errand}-{stage}")
                if stage == HANDED_OVER:
                    await self._call(f"{request}/handoff/accept", {}, f"{errand}-accepted")
                self.advanced += 1
                self.on_action()

    async def _maybe_write(self, phone: str) -> None:
        chance = self.dice.random()
        wishes = self.wishes.setdefault(phone, [])
        if chance < 0.06:
            await self._write(phone, "STOP" if chance < 0.03 else "Please stop texting me")
        elif wishes and wishes[-1].stop and chance < 0.4:
            await self._write(phone, "START")
        elif chance < 0.2:
            await self._write(phone, self.dice.choice(WORDS))

    async def _write(self, phone: str, words: str) -> None:
        """A text from a customer; the carrier repeats itself until it has heard that we have it."""
        sid = f"SM{self.dice.getrandbits(128):032x}"
        written_at = now()
        again = self.dice.random() < 0.1
        for _ in range(TRIES):
            _, outcome = await self.carrier.receive(phone, words, sid=sid)
            if outcome.status == 200 and not again:
                break
            again = False
            await asyncio.sleep(0.1)  # As a carrier does; nothing tells when we are back.
        else:
            raise AssertionError(f"the webhook was never answered: {outcome}")
        self.heard.add(sid)
        if words == "START" or "stop" in words.lower():
            wish = ConsentChange(words != "START", written_at, known_at=now())
            self.wishes[phone].append(wish)
        self.on_action()

    async def _call(self, path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
        """Another system's call: made again with the same key until it is answered."""
        for _ in range(TRIES):
            try:
                answer = await self.api.post(path, json=body, headers={"Idempotency-Key": key})
            except httpx2.HTTPError:
                await asyncio.sleep(0.1)
                continue
            if answer.status_code < 500:
                assert answer.status_code in (200, 201), answer.text
                return answer.json()
            await asyncio.sleep(0.1)
        raise AssertionError(f"{path} was never answered")
