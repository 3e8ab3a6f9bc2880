"""A customer with something in every table, each text with the marker in it."""

import io
from base64 import urlsafe_b64encode
from datetime import timedelta

import httpx2
import sqlalchemy as sa
from PIL import Image
from sqlmodel import SQLModel, col, select
from starlette.applications import Starlette

from portal.business_time import now
from portal.database import Database
from portal.models import (
    CUSTOMER_ACTOR,
    SYSTEM_ACTOR,
    Answer,
    Channel,
    ContactChannel,
    ContactReason,
    DroppedBall,
    DroppedBallKind,
    MessageKind,
    Need,
    ServiceRequest,
    ThirdPartyCode,
)
from portal.operations import (
    CustomerDetails,
    ThirdPartyReport,
    accept,
    advance,
    answer_follow_up,
    cancel,
    dismiss_dropped_ball,
    hold,
    log_contact,
    make_promise,
    move_promise,
    receive_text,
    record_spoken_consent,
    record_third_party_event,
    record_third_party_update,
    refuse,
    resume,
    run_due_follow_ups,
    set_customer_note,
    withdraw_promise,
    write_to_customer,
)
from portal.operations.dropped_balls.resolution import raise_dropped_ball
from portal.operations.privacy.classification import PERSONAL
from portal.operations.privacy.export import export_person
from portal.operations.privacy.person_requests import record_person_request
from tests.support.customer_device import link, new_browser, verify_device
from tests.support.factories import Organisation
from tests.support.fake_gateways import SENDER

MARKER = "Xylophone"
"""In every text about the person, in capitals or not."""
PHONE = "+14155557731"
EMAIL = f"{MARKER.lower()}@example.com"
PERSON = {"name": f"{MARKER} Miller", "phone": PHONE, "email": EMAIL}
MARKERS = (MARKER.lower(), PHONE[1:])


async def live_through(
    app: Starlette, api: httpx2.AsyncClient, organisation: Organisation
) -> ServiceRequest:
    """Open a request by the API, let everything happen to it, and cancel it in the end."""
    opened = await api.post(
        "/requests",
        json={
            "workflow": "card", "customer": PERSON, "title": f"Card for {MARKER}",
            "external_id": f"crm-{MARKER}", "fields": {"maiden name": MARKER},
        },
        headers={"Idempotency-Key": f"open-{MARKER}"},
    )  # fmt: skip
    assert opened.status_code == 201, opened.text
    request = await organisation.reload(opened.json()["reference"])
    async with new_browser(app) as browser:
        await verify_device(browser, organisation, request)
        photo = [("file", (f"{MARKER}.png", _photo(), "image/png"))]
        sent = await browser.post(
            f"{link(request)}/messages", data={"body": f"This is {MARKER}"}, files=photo
        )
        assert sent.status_code == 303
        keys = {"p256dh": urlsafe_b64encode(bytes(65)), "auth": urlsafe_b64encode(bytes(16))}
        subscription = {"endpoint": f"https://push.example.com/{MARKER}"} | {
            name: key.rstrip(b"=").decode() for name, key in keys.items()
        }
        subscribed = await browser.post(f"{link(request)}/push", data=subscription)
        assert subscribed.status_code == 200
        shared = await browser.post(f"{link(request)}/share", data={"do": "make"})
        assert shared.status_code == 303
    await _work_on_it(organisation, request)
    await _write(organisation, request)
    await _decline_a_quote(organisation)
    request = await organisation.run(
        cancel, request, reason=f"{MARKER} changed their mind", by=organisation.people.mona.actor
    )
    operations, ada = organisation.operations, organisation.people.ada.actor
    async with operations.begin(ada) as uow:
        await record_person_request(uow, "export", PHONE, names=[PERSON["name"]])
    await export_person(operations, ada, PHONE, [PERSON["name"]], lambda _: None)
    return request


async def _work_on_it(organisation: Organisation, request: ServiceRequest) -> None:
    """The way through the departments, with a reason or note at each step."""
    people, run = organisation.people, organisation.run
    mona = people.mona.actor
    soon = now() + timedelta(days=1)
    await run(set_customer_note, request, f"{MARKER} is hard of hearing", by=mona)
    await run(hold, request, reason=f"{MARKER} is on holiday", by=mona)
    await run(resume, request, by=mona)
    await run(
        advance, request, note=f"{MARKER} showed a passport", handover=f"Call {MARKER}", by=mona
    )
    await run(refuse, request, reason=f"{MARKER} has not signed", by=people.uma.actor)
    await run(advance, request, handover=f"{MARKER} has signed", by=mona)
    await run(accept, request, by=people.uma.actor)
    await run(
        record_third_party_update, request, words=f"Parcel for {MARKER}",
        tracking_number=MARKER, third_party="DHL", by=mona,
    )  # fmt: skip
    report = ThirdPartyReport(
        number=MARKER, code=ThirdPartyCode.EXCEPTION, place=MARKER, event_id=MARKER
    )
    await run(record_third_party_event, request, report, by=mona)
    for tell in (True, False):
        request = await run(
            make_promise, request, text=f"We call {MARKER}", due_at=soon, tell=tell, by=mona
        )
    first, second = [one.id or 0 for one in request.promises if MARKER in one.text]
    later = soon + timedelta(days=1)
    await run(move_promise, request, first, due_at=later, reason=f"{MARKER} is away", by=mona)
    await run(withdraw_promise, request, second, reason=f"{MARKER} was called", by=mona)
    await run(
        log_contact, request, channel=ContactChannel.CALL, reason=ContactReason.QUESTION,
        note=f"{MARKER} asked", by=mona,
    )  # fmt: skip
    await run(
        record_spoken_consent, request, channel=Channel.SMS, stop=True, about="all",
        note=f"{MARKER} wants no texts", by=mona,
    )  # fmt: skip


async def _decline_a_quote(organisation: Organisation) -> None:
    """A second request, whose question the customer answers with no: it is declined."""
    mona = organisation.people.mona.actor
    repair = await organisation.open("repair", CustomerDetails(**PERSON), by=mona)
    repair = await organisation.run(advance, repair, by=mona)
    await organisation.run(run_due_follow_ups, repair, by=SYSTEM_ACTOR)
    async with organisation.operations.begin(CUSTOMER_ACTOR) as uow:
        held = await uow.lock(repair.reference)
        [question] = held.follow_ups
        question.fields = question.run.fields = {"address": f"The house of {MARKER}"}
        reason = f"{MARKER} is not readable"
        held.needs.append(Need(stage_key="quote", key="photo", reason=reason, asked_at=uow.now))
        await answer_follow_up(
            uow, held, question, Answer.NO, text=f"No, says {MARKER}", via=Channel.WEB
        )


async def _write(organisation: Organisation, request: ServiceRequest) -> None:
    """Messages in and out, a failed one, a dropped ball with its e-mail to a colleague."""
    mona = organisation.people.mona.actor
    by_mail = [Channel.EMAIL]
    await organisation.run(write_to_customer, request, f"Dear {MARKER}", channels=by_mail, by=mona)
    await organisation.run_unbound(
        receive_text, sid=f"SM{MARKER}", sender=PHONE, to=SENDER, body=f"I am {MARKER}",
        by=CUSTOMER_ACTOR,
    )  # fmt: skip
    async with organisation.operations.begin(SYSTEM_ACTOR) as uow:
        await raise_dropped_ball(
            uow, DroppedBallKind.FLOOD, f"flood:{PHONE}", f"Many texts of {MARKER}"
        )
        notice = f"{request.reference}: {MARKER} waits"
        await uow.outbox.queue_staff_notice(
            "ball:0:owner", "mona@acme.example", notice, f"{notice} for an answer"
        )
    async with organisation.operations.begin(mona) as uow:
        ball = (
            await uow.session.exec(
                select(DroppedBall).where(col(DroppedBall.kind) == DroppedBallKind.FLOOD)
            )
        ).one()
        await dismiss_dropped_ball(uow, ball.id or 0, reason=f"{MARKER} is known")


async def fill_what_is_empty(database: Database) -> None:
    """Write the marker into each personal column in which no row has it yet, in all of its rows."""
    async with database.engine.begin() as connection:
        # By its digest a file is found: the test asks for the file itself.
        for name in PERSONAL.keys() - {"attachment.digest"}:
            table_name, column_name = name.split(".")
            column = SQLModel.metadata.tables[table_name].c[column_name]
            text = sa.func.lower(sa.cast(column, sa.Text))
            is_marked = sa.or_(*(text.contains(marker) for marker in MARKERS))
            if await connection.scalar(sa.select(sa.func.count()).where(is_marked)):
                continue
            row_id = sa.cast(column.table.c.id, sa.Text)
            marked = sa.literal(MARKER).concat(row_id)
            update = sa.update(column.table).values({column: marked})
            if table_name == "message":
                # Mail to a colleague has a cause of its own, and another address.
                update = update.where(column.table.c.kind != MessageKind.NOTICE)
            filled = await connection.execute(update)
            assert filled.rowcount, f"no row in {table_name}"


def _photo() -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", (9, 7), "teal").save(picture, "PNG")
    return picture.getvalue()
