"""Which texts go by WhatsApp: those to a customer who wrote last there.

Within the customer service window free text is allowed, after it only an approved template. What has
none goes by SMS. The window is of WhatsApp: https://www.twilio.com/docs/whatsapp/key-concepts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.i18n.languages import language_of
from portal.messaging.wording.channel_neutral import channel_neutral_text
from portal.models import (
    Channel,
    Message,
    MessageKind,
    ServiceRequest,
    Transport,
)
from portal.queries.requests import REQUEST_OPTIONS
from portal.settings import Settings
from portal.whatsapp import TEXT, WhatsAppTemplate

NEVER_BY_WHATSAPP = frozenset({MessageKind.CODE})
"""A code proves the number of the phone, and WhatsApp takes codes in its own templates alone."""


@dataclass(frozen=True, slots=True)
class WhatsAppRoute:
    """How a text goes by WhatsApp: as free text, or by a template whose ``fields`` are these.

    ``number`` is the customer's as WhatsApp spells it.
    """

    number: str
    template: WhatsAppTemplate | None = None
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def content_sid(self) -> str:
        """The template's Content SID; empty for free text."""
        return self.template.content_sid if self.template else ""

    def content_variables(self, settings: Settings, body: str, locale: str) -> str:
        """The template's variables for a text with this body, as JSON; empty for free text."""
        if self.template is None:
            return ""
        text = channel_neutral_text(body, settings.brand, language_of(locale))
        return self.template.content_variables({**self.fields, TEXT: text or body})


async def find_routes(
    session: AsyncSession, settings: Settings, now: datetime, rows: Sequence[Any]
) -> dict[int, WhatsAppRoute]:
    """The routes of those of these texts that go by WhatsApp, by message id.

    A copy of one that failed there names its transport and keeps it. Without the setting no query
    is made; with it the number of queries does not grow with the messages.
    """
    candidates = [
        row
        for row in rows
        if row.kind not in NEVER_BY_WHATSAPP and row.transport in (None, Transport.WHATSAPP)
    ]
    if not settings.whatsapp or not candidates:
        return {}
    heard = await _last_heard(session, {row.to_address for row in candidates})
    opened_since = now - timedelta(seconds=settings.whatsapp_window_seconds)
    routes, outside = {}, []
    for row in candidates:
        last = heard.get(row.to_address)
        if last is None or last.transport != Transport.WHATSAPP:
            continue
        if last.created_at > opened_since:
            routes[row.id] = WhatsAppRoute(last.whatsapp_number)
        else:
            outside.append((row, last.whatsapp_number))
    return routes | await _by_template(session, settings, outside)


async def _last_heard(session: AsyncSession, numbers: set[str]) -> dict[str, Any]:
    """The last text from each number."""
    newest = (
        sa.select(sa.func.max(col(Message.id)))
        .where(
            col(Message.from_address).in_(numbers),
            # Written as in the partial index, so that the database uses it.
            sa.text("direction = 'in'"),
            col(Message.channel) == Channel.SMS,
            # A copy for another request is no newer text.
            col(Message.provider_sid).is_not(None),
        )
        .group_by(col(Message.from_address))
    )
    names = ("from_address", "transport", "created_at", "whatsapp_number")
    columns = [getattr(Message, name) for name in names]
    query = sa.select(*columns).where(col(Message.id).in_(newest))
    connection = await session.connection()
    return {row.from_address: row for row in await connection.execute(query)}


async def _by_template(
    session: AsyncSession, settings: Settings, rows: Sequence[tuple[Any, str]]
) -> dict[int, WhatsAppRoute]:
    """The routes of those of these texts, each with its number, that a template is set for, and can be filled."""
    if settings.whatsapp_templates is None:
        return {}
    found = []
    for row, number in rows:
        language = language_of(row.locale or "en").code
        template = settings.whatsapp_templates.find(row.kind, language)
        if template is not None:
            found.append((row, number, template))
    if not found:
        return {}
    fields = await _fields(session, settings, {row.request_id for row, _, _ in found} - {None})
    nobody = {"brand": settings.brand}
    routes = {}
    for row, number, template in found:
        known = fields.get(row.request_id, nobody)
        if template.can_be_filled(known):
            routes[row.id] = WhatsAppRoute(number, template, known)
    return routes


async def _fields(
    session: AsyncSession, settings: Settings, request_ids: set[Any]
) -> dict[int | None, dict[str, str]]:
    """What templates may say of these requests, by request id; "" for what there is not."""
    query = select(ServiceRequest).where(col(ServiceRequest.id).in_(request_ids))
    requests = (await session.exec(query.options(*REQUEST_OPTIONS))).all()
    return {
        request.id: {
            "brand": settings.brand,
            "first_name": request.customer.given_name,
            "title": request.title_in(request.customer.locale),
            "reference": request.reference,
            "link": f"{settings.public_url}/r/{link.token}" if (link := request.live_link) else "",
        }
        for request in requests
    }
