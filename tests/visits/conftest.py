"""A fibre line whose engineer comes in a window of the field team's hours."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import time_machine
from starlette.applications import Starlette

from portal.models import SYSTEM_ACTOR, Direction, FollowUp, MessageStatus, ServiceRequest
from portal.operations import CustomerDetails, run_due_follow_ups
from portal.tracking.status_page.view_models import StatusPage
from tests.support.factories import MARTIN, Organisation

ENGINEER = """
key = "engineer"
name = "Fibre line"
prefix = "ENG"
timezone = "America/New_York"

[departments.field]
name = "Field Engineers"
hours = "Mon-Sat 08:00-18:00"
holidays = "US"

[[stages]]
key = "date"
department = "field"
title = "We are arranging a visit"
expected = "5d"
milestone = false
question.en = "When may our engineer come?"
question.es = "¿Cuándo puede ir el técnico?"
question.ar = "متى يناسبك أن يأتي مهندسنا؟"
expects = "time"
slot = "2h"
capacity = 1
visit = "Engineer visit"
place = "Your home"
prepare = "Please clear the hall."
yes = "complete"

[[stages]]
key = "install"
department = "field"
title = "Your visit is booked"
expected = "7d"
"""

CALLS = """
key = "loan"
name = "Loan"
prefix = "CRED"
timezone = "America/New_York"

[departments.loans]
name = "Loan Desk"
hours = "Mon-Fri 09:00-17:30"
holidays = "US"
reply_within = "4bh"

[[stages]]
key = "received"
department = "loans"
title = "We have your application"
expected = "5d"
"""

Open = Callable[..., Awaitable[ServiceRequest]]
OTHER = CustomerDetails("Gwen Jones", phone="+14155550188", timezone="America/New_York")


@pytest.fixture
async def asked(clock: time_machine.Traveller, organisation: Organisation) -> Open:
    """Opens a line whose customer is asked when the engineer may come, on Tue 3 June, 10 am."""
    await organisation.load(ENGINEER)

    async def ask(customer: CustomerDetails = MARTIN, **more: Any) -> ServiceRequest:
        line = await organisation.open("engineer", customer, by=SYSTEM_ACTOR, **more)
        return await organisation.run(run_due_follow_ups, line, by=SYSTEM_ACTOR)

    return ask


@pytest.fixture
async def line(asked: Open) -> ServiceRequest:
    """Martin is asked when the engineer may come."""
    return await asked()


@pytest.fixture
def said(organisation: Organisation) -> Callable[[ServiceRequest], Awaitable[list[str]]]:
    """The messages that the customer gets, oldest first."""

    async def read(request: ServiceRequest) -> list[str]:
        return [
            message.body.replace("\u200f", "")
            for message in await organisation.outbound_messages(request)
            if message.direction == Direction.OUT and message.status != MessageStatus.SUPPRESSED
        ]

    return read


@pytest.fixture
def booked(organisation: Organisation) -> Callable[[ServiceRequest], Awaitable[FollowUp | None]]:
    """The booked visit of a request, as it is stored."""

    async def find(request: ServiceRequest) -> FollowUp | None:
        return (await organisation.reload(request)).booked_visit

    return find


@pytest.fixture
def see(app: Starlette) -> Callable[[ServiceRequest], Awaitable[StatusPage]]:
    """The page of a request, as it is now."""

    async def look(request: ServiceRequest) -> StatusPage:
        assert request.live_link
        page = await app.state.status_pages.build_page(request.live_link.token)
        assert page is not None
        return page  # type: ignore[no-any-return]

    return look


@pytest.fixture
async def loan(clock: time_machine.Traveller, organisation: Organisation) -> ServiceRequest:
    """Martin's loan, with a department that is open from 9 to 5:30 pm, on Tue 3 June, 10 am."""
    await organisation.load(CALLS)
    return await organisation.open("loan", by=SYSTEM_ACTOR)
