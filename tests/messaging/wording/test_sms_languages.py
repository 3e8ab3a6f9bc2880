"""Texts in Spanish and Arabic, from the first text to STOP."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from portal.i18n.languages import language_of
from portal.messaging.sms.bidi import RIGHT_TO_LEFT_MARK
from portal.messaging.wording.channel_neutral import channel_neutral_text
from portal.models import CUSTOMER_ACTOR, SYSTEM_ACTOR, PromiseKind, RequestStatus
from portal.operations import cancel, make_promise, run_due_follow_ups, set_preferences
from tests.support.factories import MARTIN, VISIT

pytestmark = pytest.mark.either_database

SPANISH, ARABIC = (replace(MARTIN, locale=locale) for locale in ("es-MX", "ar"))


@pytest.fixture
async def tarjeta(clock, organisation):
    """Martin's card, and Martin reads Spanish."""
    return await organisation.open("card", SPANISH, by=organisation.people.tess.actor)


@pytest.fixture
async def bitaqa(clock, organisation):
    """Martin's card, and Martin reads Arabic."""
    return await organisation.open("card", ARABIC, by=organisation.people.tess.actor)


async def test_first_text_has_the_opt_out_hint_in_their_language(organisation, tarjeta):
    [told] = await organisation.outbound_messages(tarjeta)
    assert told.body.startswith("Acme Bank: Hola Martin. ")
    assert told.body.endswith("Baja: STOP")
    assert told.body.count("STOP") == 1


async def test_arabic_text_starts_with_a_direction_mark(organisation, bitaqa):
    """By one mark before it; page and mail have neither that nor how to stop."""
    [told] = await organisation.outbound_messages(bitaqa)
    assert told.body.startswith(f"{RIGHT_TO_LEFT_MARK}Acme Bank: Martin")
    assert told.body.endswith("للإيقاف: STOP")
    assert told.segments == 2
    bare = channel_neutral_text(told.body, "Acme Bank", language_of("ar"))
    assert bare == "Martin، We have your application. التالي الثلاثاء 3 يونيو، 2 م."
    assert RIGHT_TO_LEFT_MARK not in bare
    assert "STOP" not in bare
    assert "http" not in bare


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("STOP", "Acme Bank: Ya no recibe mensajes nuestros. Responda START para volver a tenerlos."),
        ("ayuda", "Acme Bank: Sus solicitudes: http://testserver Nunca pedimos claves ni datos de tarjetas. Responda y le lee una persona. Baja: STOP"),
        ("gestor?", "Acme Bank: Recibido, Martin. Tess, de Telesales, le responde como tarde el mar 3 jun a las 12:00."),
        ("llámenme", "Acme Bank: Tess, de Telesales, le llama como tarde el mar 3 jun a las 12:00."),
    ],
)  # fmt: skip
async def test_spanish_is_answered_in_spanish(tarjeta, texts, text, answer):
    assert (await texts(text)).body == answer


async def test_closed_request_is_reopened_by_the_named_keyword(organisation, bitaqa, texts):
    await organisation.run(cancel, bitaqa, reason="Enough.", by=SYSTEM_ACTOR)
    offer = await texts("عندي سؤال آخر")
    assert "أرسل: افتح." in offer.body
    await texts("افتح")
    assert (await organisation.reload(bitaqa)).status == RequestStatus.OPEN


async def test_workflow_title_is_localized(organisation, texts):
    """Where nobody gave this one another."""
    await organisation.load(
        VISIT.replace("\n[[", '\ntitle = { en = "Fibre", es = "Fibra" }\n[[', 1)
    )
    line = await organisation.open("fibre", SPANISH, by=SYSTEM_ACTOR)
    named = await organisation.open("fibre", SPANISH, by=SYSTEM_ACTOR, title="Mill Lane")
    assert (line.title_in("es"), line.title_in("en"), line.title) == (
        "Fibra",
        "Fibre",
        "Fibre line",
    )
    assert named.title_in("es") == "Mill Lane"
    assert "1 Fibra, 2" in (await texts("¿por qué?")).body


async def test_appointment_sets_the_expected_date(organisation, texts):
    """Not by how long such steps take: a visit in three weeks is not late after two days."""
    await organisation.load(VISIT)
    line = await organisation.open("fibre", by=SYSTEM_ACTOR)
    await organisation.run(run_due_follow_ups, line, by=SYSTEM_ACTOR)
    await texts("June 24 at 10am")
    [run] = (await organisation.reload(line)).open_runs
    assert (run.stage_key, run.due_at) == ("visit", datetime(2025, 6, 24, 18, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("¿Dónde está mi pedido?", "Acme Bank: Gracias por escribir."),
        ("أين طلبي؟", f"{RIGHT_TO_LEFT_MARK}Acme Bank: شكرًا لرسالتك."),
        ("Where is it", "Acme Bank: Thank you for writing."),
    ],
)
async def test_unknown_sender_is_answered_in_their_language(tarjeta, texts, text, begins):
    told = await texts(text, sender="+14155550199")
    assert told.body.startswith(begins)


async def test_which_request_is_asked_in_arabic_with_a_line_each(organisation, bitaqa, texts):
    """Numbers stay with the names that they are for; Arabic digits choose as well."""
    other = await organisation.open("permit", ARABIC, by=SYSTEM_ACTOR)
    asked = await texts("مرحبا أريد أن أسأل عن شيء")
    lines = asked.body.splitlines()
    assert lines[0].startswith(f"{RIGHT_TO_LEFT_MARK}Acme Bank: أي طلب تقصد؟")
    assert lines[1:] == [
        "1 Credit card",
        "2 Building permit",
    ]
    await texts("٢")
    assert [promise.kind for promise in (await organisation.reload(other)).promises] == [
        PromiseKind.ANSWER
    ]
    assert (await organisation.reload(bitaqa)).promises == []


async def test_automatic_promise_follows_the_customers_language(
    organisation, tarjeta, texts, client
):
    """It is stored once; who changes their language reads it in the new one."""
    await texts("llámenme por favor")
    address = f"/r/{tarjeta.live_link.token}"
    assert "Telesales le llama" in (await client.get(address)).text
    await organisation.run(set_preferences, tarjeta, locale="ar", by=CUSTOMER_ACTOR)
    assert "سيتصل بك Telesales" in (await client.get(address)).text
    await organisation.run(set_preferences, tarjeta, locale="en", by=CUSTOMER_ACTOR)
    assert "Telesales will call you" in (await client.get(address)).text


async def test_staff_text_is_not_translated(organisation, tarjeta):
    """Also where they promise something to somebody who reads Spanish."""
    due = tarjeta.opened_at + timedelta(hours=3)
    await organisation.run(
        make_promise,
        tarjeta,
        text="We send the form",
        due_at=due,
        by=organisation.people.tess.actor,
    )
    told = (await organisation.outbound_messages(tarjeta))[-1]
    assert "Tess, Telesales: We send the form. Plazo: el mar 3 jun a las 13:00" in told.body
