"""The status page in each of its states, for tests of its text and size and for screenshots.

View models without a database: tests/tracking/status_page/test_status_page_states.py holds how a request leads to each.
"""

from dataclasses import replace
from datetime import timedelta

from portal.business_time import TimeWindow
from portal.tracking.status_page.appointment_view import Appointment
from portal.tracking.status_page.conversation_view import ConversationLine
from portal.tracking.status_page.needs_view import Correction, NeededItem, Needs
from portal.tracking.status_page.promises_view import PastPromise, PromiseLine
from portal.tracking.status_page.question_view import Question
from portal.tracking.status_page.timeline_view import (
    ArrivalLine,
    CurrentDepartment,
    DateEstimate,
    Delay,
    Ending,
    NextStep,
    Pause,
)
from portal.tracking.status_page.view_models import StatusPage
from portal.tracking.status_page.visit_days import visit_days
from tests.support.status_page.card_page import (
    APPROVED,
    ARRIVED,
    ASKED,
    DAY,
    HEARD,
    HOUR,
    MADE,
    MARTIN,
    NOW,
    PASSED,
    PENDING_PROMISE,
    RECEIVED,
    SENT,
    STAFF_REPLY,
    ended,
    paused_page,
    permit,
    with_made,
)

PASSPORT = NeededItem("passport", "Copy of your passport", "needed", "The page with your photo.")
TOO_DARK = Correction("The photo is too dark to read. Please take it again in daylight.", "Pia")

STATES: dict[str, StatusPage] = {
    "in work": replace(MARTIN, promises=(PENDING_PROMISE,), conversation=(ASKED, HEARD)),
    "nothing said": replace(MARTIN, conversation=()),
    "passed on": with_made(
        PASSED, headline="Approved", handoff=PASSED.handoff,
        current_departments=(CurrentDepartment("Underwriting", NOW - DAY, "Uma"),),
    ),
    "side by side": permit(),
    "likely": with_made(
        replace(MADE, expected_at=NOW + 3 * DAY), estimate=DateEstimate(NOW + DAY, NOW + 3 * DAY),
        arrival=ArrivalLine("With you by", NOW + 3 * DAY),
    ),
    "a question": paused_page(
        status="waiting_on_customer",
        question=Question("2", "The metal card costs $84 a year. Shall we make that one?"),
    ),
    "an appointment": paused_page(
        "Your visit", status="waiting_on_customer",
        question=Question("2", "When may our technician come?", asks_time=True),
    ),
    "a visit": replace(
        MARTIN, headline="Our technician comes to you", current_departments=(CurrentDepartment("Field Team", NOW - HOUR, "Gareth"),),
        appointments=(Appointment("1", "Your visit", NOW + 3 * DAY - 5.5 * HOUR),),
    ),
    "a visit to book": paused_page(
        "Your visit", status="waiting_on_customer",
        question=Question(
            "2", "When may our technician come?", asks_time=True, has_more=True,
            windows=visit_days(
                MARTIN.times,
                [TimeWindow(NOW + day * DAY + hour * HOUR, NOW + day * DAY + (hour + 2) * HOUR)
                 for day in range(1, 5) for hour in (-6, -4, -2, 0, 2)],
            ),
        ),
    ),
    "a visit in a window": replace(
        MARTIN, headline="Our technician comes to you", current_departments=(CurrentDepartment("Field Team", NOW - HOUR),),
        appointments=(Appointment(
            "1", "Engineer visit", NOW + 3 * DAY - 6 * HOUR, until=NOW + 3 * DAY - 4 * HOUR,
            who="Gareth", place="Your home", prepare="Please clear a socket.",
        ),),
    ),
    "waiting on papers": paused_page(
        "We need a copy of your passport",
        status="waiting_on_customer", headline="We need a copy of your passport", action="files",
    ),
    "papers needed": paused_page(
        "We need a copy of your passport", status="waiting_on_customer",
        headline="We need a copy of your passport", needs=Needs((PASSPORT,)),
    ),
    "papers sent": with_made(
        replace(MADE, note=None),
        needs=Needs((replace(
            PASSPORT, state="sent", file="passport.pdf", sent_at=NOW - HOUR, owner="Pia",
            due_at=NOW + HOUR,
        ),)),
    ),
    "to correct": paused_page(
        "We need a copy of your passport", status="waiting_on_customer",
        needs=Needs((replace(PASSPORT, state="correction"),), TOO_DARK),
    ),
    "a price": paused_page(
        "Your quote is ready", status="waiting_on_customer",
        question=Question("7", "Your quote is $89. Shall we go ahead?", yes="Yes, go ahead for $89"),
    ),
    "on hold": paused_page(
        status="on_hold",
        pause=Pause("We wait for your employer's answer.", NOW + 6 * DAY),
        arrival=ArrivalLine("With you by", NOW + 13 * DAY),
    ),
    "delayed": with_made(
        replace(MADE, expected_at=NOW + 3 * DAY, note=None),
        delay=Delay(NOW - DAY, NOW + 3 * DAY, "The printer is being repaired."),
        arrival=ArrivalLine("With you by", NOW + 3 * DAY),
        next_step=NextStep("On its way to you", NOW + 3 * DAY),
    ),
    "late": with_made(
        replace(MADE, expected_at=NOW - DAY, note=None), delay=Delay(previous_by=NOW - DAY),
        next_step=NextStep("On its way to you", None), arrival=None, promises=(replace(PENDING_PROMISE, due_at=NOW - HOUR),),
    ),
    "ask now": with_made(
        replace(MADE, expected_at=NOW + DAY, note=None), ask_after=NOW - HOUR,
        delay=Delay(new_by=NOW + DAY, reason="Card Processing needs more time."),
        next_step=NextStep("On its way to you", NOW + DAY),
    ),
    "a complaint": replace(
        MARTIN,
        promises=(replace(PENDING_PROMISE, owner="Mona", due_at=NOW + 90 * timedelta(minutes=1)),),
        conversation=(
            ASKED, HEARD, STAFF_REPLY,
            ConversationLine("4", "That is the wrong street again! This is the third time I tell you.",
                 NOW - timedelta(minutes=20), None),
            ConversationLine("5", "We have your words, Martin, and are sorry. Mona will answer by 5 pm.",
                 NOW - timedelta(minutes=20), "Acme Bank", is_receipt=True),
        ),
    ),
    "promises": replace(
        MARTIN,
        promises=(
            PromiseLine("4", "I will ring you", NOW - 2 * HOUR, owner="Paul"),
            replace(PENDING_PROMISE, key="5"),
            PromiseLine("6", "I will send you the contract", NOW + DAY, owner="Tess",
                        moved_reason="The line was busy."),
        ),
        past_promises=(
            PastPromise("I will ask Underwriting", "Tess", NOW - 5 * HOUR),
            PastPromise("I will call you back", "Tom", None),
        ),
    ),
    "did it arrive": replace(
        ended("done", status="awaiting_confirmation"),
        question=Question("1", "Has your card arrived?", "Yes, I have it", "No, not yet"),
        step_groups=(
            *MARTIN.step_groups[:2], *((replace(step, state="done", note=None),) for step in (MADE, SENT)),
            (replace(ARRIVED, state="current", expected_at=None),),
        ),
    ),
    "done": ended("done", status="completed", ending=Ending(NOW - HOUR, confirmed=True)),
    "done long ago": replace(
        ended("done", status="completed", ending=Ending(NOW - HOUR, confirmed=True)),
        now=NOW + 100 * DAY,
    ),
    "never confirmed": replace(
        ended("done", status="completed", ending=Ending(NOW, unconfirmed=True)),
        step_groups=(
            *MARTIN.step_groups[:2], *((replace(step, state="done", note=None),) for step in (MADE, SENT)),
            (replace(ARRIVED, state="skipped", expected_at=None),),
        ),
    ),
    "declined": ended(
        "skipped", status="declined",
        ending=Ending(NOW, by_customer=True, outcome="Your device is ready to collect, free of charge."),
    ),
    "cancelled": ended("skipped", status="cancelled", ending=Ending(NOW, "You asked us to stop.")),
}  # fmt: skip


LAYLA = replace(
    MARTIN, locale="ar", timezone="Asia/Dubai", brand="بنك المدينة", title="طلب بطاقة ائتمان",
    first_name="ليلى", headline="بطاقتك قيد الإصدار", write_to="إصدار البطاقات",
    current_departments=(CurrentDepartment("إصدار البطاقات", NOW - timedelta(minutes=85), "سارة"),),
    next_step=NextStep("بطاقتك في الطريق إليك", NOW + 2 * DAY),
    promises=(replace(PENDING_PROMISE, owner="سارة"),),
    step_groups=tuple(
        (replace(step, title=title, department=department, note=None),)
        for step, title, department in (
            (RECEIVED, "وصلنا طلبك", "المبيعات"),
            (APPROVED, "تمت الموافقة", "الائتمان"),
            (MADE, "بطاقتك قيد الإصدار", "إصدار البطاقات"),
            (SENT, "بطاقتك في الطريق إليك", "التوصيل"),
        )
    ),
    conversation=(replace(ASKED, body="هل تصل إلى عنواني القديم؟"),),
)  # fmt: skip
"""An ordinary page that runs from right to left."""
