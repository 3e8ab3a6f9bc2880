"""Notifications that stand in for texts, where the customer has chosen them."""

import asyncio
import json
from dataclasses import dataclass

import sqlalchemy as sa
import structlog
from sqlmodel import col, select

from portal import business_time
from portal.database import Database
from portal.i18n.languages import language_of
from portal.messaging.push.client import PushClient, PushUnavailable
from portal.messaging.push.target import PushTarget
from portal.messaging.push.vapid import authorization
from portal.messaging.wording.channel_neutral import channel_neutral_text, without_reply_hint
from portal.models import Customer, Message, MessageKind, PushSubscription, TrackingLink
from portal.queries.trusted_devices import push_subscriptions
from portal.settings import Settings
from workers.delivery.stored_claims import OutgoingMessage

log = structlog.get_logger()

PUSHED_KINDS = frozenset(
    {
        MessageKind.MILESTONE, MessageKind.FOLLOW_UP, MessageKind.REMINDER, MessageKind.HOLD,
        MessageKind.RESUMED, MessageKind.CANCELLED, MessageKind.COMPLETED, MessageKind.DECLINED,
        MessageKind.PROMISE, MessageKind.DELAY, MessageKind.UPDATE, MessageKind.STAFF,
        MessageKind.DOCUMENT,
    }
)  # fmt: skip
"""News. What answers a text, a link that was asked for, and a code go to the phone number itself."""
MAX_BODY_LENGTH = 600
"""Letters: push services take 4,096 bytes with the encryption (RFC 8030, section 7.2)."""
GONE = (404, 410)
"""The browser's subscription has ended (RFC 8030, section 7.3)."""


@dataclass
class PushSender:
    """Sends claimed texts as notifications, to each browser of their customer."""

    database: Database
    settings: Settings
    client: PushClient

    async def notify(self, message: OutgoingMessage) -> bool:
        """True where a push service has taken it; else, whatever the reason, it is to go as a text.

        A subscription that has ended is deleted. It takes no longer than one call of the client.
        """
        try:
            return await self._notify(message)
        except Exception:
            log.exception("a notification could not be sent", message=message.id)
            return False

    async def _notify(self, message: OutgoingMessage) -> bool:
        async with self.database.reading() as session:
            row = await session.get_one(Message, message.id)
            if row.kind not in PUSHED_KINDS or row.customer_id is None:
                return False
            subscriptions = await push_subscriptions(session, row.customer_id)
            if not subscriptions:
                return False
            query = (
                select(TrackingLink.token)
                .where(
                    col(TrackingLink.request_id) == row.request_id,
                    col(TrackingLink.revoked_at).is_(None),
                )
                .order_by(col(TrackingLink.id).desc())
            )
            token = (await session.exec(query.limit(1))).first()
            customer = await session.get_one(Customer, row.customer_id)
        language = language_of(customer.locale)
        body = without_reply_hint(channel_neutral_text(message.body, self.settings.brand, language))
        content = {
            "title": self.settings.brand,
            "body": body[:MAX_BODY_LENGTH],
            "tag": f"m{message.id}",
        }
        content["url"] = f"/r/{token}" if token else "/"
        payload = json.dumps(content, ensure_ascii=False).encode()
        statuses = await asyncio.gather(*(self._send(each, payload) for each in subscriptions))
        is_taken = any(200 <= status < 300 for status in statuses)
        gone = [
            each.id for each, status in zip(subscriptions, statuses, strict=True) if status in GONE
        ]
        if gone:
            await self._forget(gone)
        return is_taken

    async def _send(self, subscription: PushSubscription, payload: bytes) -> int:
        """The push service's status; 0 where it was not reached, or nothing could be sent to it.

        It raises nothing: what fails for one browser undoes no notification of another.
        """
        try:
            return await self._call(subscription, payload)
        except PushUnavailable as error:
            log.info("a push service was not reached", error=type(error).__name__)
        except Exception:
            log.exception("a browser could not be notified")
        return 0

    async def _call(self, subscription: PushSubscription, payload: bytes) -> int:
        settings = self.settings
        keys = [key.get_secret_value() for key in settings.secret_keys]
        signed = authorization(
            subscription.endpoint, subscription.public_key, keys, settings.public_host,
            business_time.now(),
        )  # fmt: skip
        if signed is None:
            return GONE[0]  # Made under a secret key that is no longer accepted.
        target = PushTarget(subscription.endpoint, subscription.p256dh, subscription.auth)
        return await self.client.send(target, payload, signed)

    async def _forget(self, ids: list[int | None]) -> None:
        """Delete these subscriptions; where that fails, the next notification deletes them."""
        try:
            async with self.database.transaction() as session:
                connection = await session.connection()
                await connection.execute(
                    sa.delete(PushSubscription).where(col(PushSubscription.id).in_(ids))
                )
        except Exception:
            log.exception("ended subscriptions could not be deleted")
