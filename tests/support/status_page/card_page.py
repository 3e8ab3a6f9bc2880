"""An example of the status page, a card in its third stage, and how it changes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from portal.branding.theme import DEFAULT_THEME
from portal.tracking.status_page.conversation_view import ConversationLine
from portal.tracking.status_page.promises_view import PromiseLine
from portal.tracking.status_page.timeline_view import (
    ArrivalLine,
    CurrentDepartment,
    NextStep,
    TimelineStep,
    WaitingHandoff,
)
from portal.tracking.status_page.view_models import StatusPage
from portal.web import templating

NOW = datetime(2026, 11, 24, 20, 30, tzinfo=UTC)
"""Tuesday afternoon, half past three in New York."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

RECEIVED = TimelineStep(
    "received", "We have your application", "Telesales", "done",
    NOW - timedelta(days=1, hours=6, minutes=18), NOW - timedelta(days=1, hours=5, minutes=38),
)  # fmt: skip
APPROVED = TimelineStep(
    "approved", "Approved", "Underwriting", "done", NOW - 28 * HOUR, NOW - 4 * HOUR
)
MADE = TimelineStep(
    "made", "Your card is being made", "Card Processing", "current", NOW - timedelta(minutes=85),
    expected_at=NOW + 2 * DAY, note="The embossing run is tonight. You need not do anything.",
)  # fmt: skip
SENT = TimelineStep(
    "courier", "On its way to you", "Courier Desk", "upcoming", expected_at=NOW + 2 * DAY
)
ARRIVED = TimelineStep(
    "arrived", "In your hands", "You tell us", "upcoming", expected_at=NOW + 7 * DAY, is_asked=True
)

ASKED = ConversationLine(
    "1", "Will it still come to my old address?", NOW - 1.2 * HOUR, None, "sms"
)
HEARD = ConversationLine(
    "2", "We have your question, Martin. Card Processing will answer by 3:40 pm.",
    NOW - 1.2 * HOUR, "Acme Bank", "sms", is_receipt=True,
)  # fmt: skip
STAFF_REPLY = ConversationLine(
    "3", "It goes to Elm Street 7, your new one.", NOW - 0.5 * HOUR, "Pia", "sms"
)

MARTIN = StatusPage(
    now=NOW,
    brand="Acme Bank",
    support_contact="0800 555 0132",
    reference="CARD-7K4M-2Q9",
    title="Credit card application",
    first_name="Martin",
    locale="en",
    timezone="America/New_York",
    status="open",
    headline="Your card is being made",
    write_to="Card Processing",
    path="/r/q7Hc0Jm2Vt8sXz4bKe1LaA",
    last_event_id=42,
    text_number="+15550100100",
    current_departments=(CurrentDepartment("Card Processing", NOW - timedelta(minutes=85), "Pia"),),
    next_step=NextStep("On its way to you", NOW + 2 * DAY),
    arrival=ArrivalLine("With you by", NOW + 7 * DAY),
    step_groups=((RECEIVED,), (APPROVED,), (MADE,), (SENT,), (ARRIVED,)),
    conversation=(ASKED, HEARD, STAFF_REPLY),
)
"""An ordinary page: a card in its third stage, with three messages."""

PENDING_PROMISE = PromiseLine("1", "", NOW + timedelta(minutes=10), owner="Pia")
PASSED = replace(
    MADE, state="handed_off", note=None,
    handoff=WaitingHandoff("Card Processing", NOW - HOUR, NOW + 2.5 * HOUR),
)  # fmt: skip


def with_made(step: TimelineStep, **changes: Any) -> StatusPage:
    """Martin's page with another state of the step that is open."""
    return replace(
        MARTIN, step_groups=((RECEIVED,), (APPROVED,), (step,), (SENT,), (ARRIVED,)), **changes
    )


def paused_page(title: str = MADE.title, **changes: Any) -> StatusPage:
    """Martin's page while its clock is paused: the later stages have no dates."""
    ahead = [replace(step, expected_at=None) for step in (SENT, ARRIVED)]
    step = replace(MADE, title=title, state="paused", note=None)
    step_groups = ((RECEIVED,), (APPROVED,), (step,), *((later_step,) for later_step in ahead))
    return replace(
        MARTIN, step_groups=step_groups, next_step=NextStep(SENT.title, None),
        **{"arrival": ArrivalLine("With you by", duration=6 * DAY, awaited="customer")} | changes,
    )  # fmt: skip


def ended(state: str, **changes: Any) -> StatusPage:
    """Martin's page at the end; all stages but the first two are in that state."""
    rest = [
        replace(step, state=state, expected_at=None, note=None,
                began_at=NOW - 2 * HOUR if state == "done" else None)
        for step in (MADE, SENT, ARRIVED)
    ]  # fmt: skip
    if state == "skipped":
        rest[0] = replace(rest[0], state="ended")
    step_groups = ((RECEIVED,), (APPROVED,), *((step,) for step in rest))
    return replace(
        MARTIN,
        step_groups=step_groups,
        current_departments=(),
        next_step=None,
        arrival=None,
        **changes,
    )


def permit() -> StatusPage:
    """Three departments that work in parallel."""
    began = NOW - DAY

    def review(key: str, title: str, department: str, state: Any, **more: Any) -> TimelineStep:
        return TimelineStep(key, title, department, state, began, expected_at=NOW + 3 * DAY, **more)

    fork = (
        review("fire", "Fire safety is being reviewed", "Fire Review", "current"),
        replace(review("plans", "Your plans are being reviewed", "Plan Review", "done"),
                ended_at=NOW - 3 * HOUR),
        review("zone", "Zoning is being reviewed", "Zoning", "paused", note="A map is missing."),
    )  # fmt: skip
    intake = replace(RECEIVED, title="We have your plans", department="Permit Counter")
    decision = TimelineStep("decision", "Your permit is being decided", "Permit Counter", "upcoming",
                   expected_at=NOW + 3 * DAY)  # fmt: skip
    return replace(
        MARTIN, brand="City of Elm", reference="PERM-3F8T-6WX", title="Building permit",
        headline="Fire safety is being reviewed", write_to="Permit Counter",
        current_departments=(CurrentDepartment("Fire Review", began), CurrentDepartment("Zoning", began)),
        next_step=NextStep("Your permit is being decided", NOW + 3 * DAY),
        step_groups=((intake,), fork, (decision,)), conversation=(),
    )  # fmt: skip


def html(page: StatusPage) -> str:
    """The page as it is sent."""
    return templating.render("tracking/status_page/status.html", page.context())


def outage(locale: str = "en", *, reading: bool = True) -> str:
    """The page during an outage of the database, also after a form was sent."""
    frame = {
        "brand": MARTIN.brand,
        "support_contact": MARTIN.support_contact,
        "theme": DEFAULT_THEME,
    }
    told = {"is_read": reading, "path": MARTIN.path, "locale": locale, "chosen": ""}
    return templating.render("tracking/outage.html", {**frame, **told})
