"""Erases every row about one person within one transaction; the skeleton of requests stays.

Which column becomes what is read from `classification`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select

from portal.errors import Conflict
from portal.models import (
    Attachment,
    AttachmentRead,
    Consent,
    Contact,
    ContactPoint,
    Customer,
    DeliveryReason,
    DroppedBall,
    Event,
    FollowUp,
    Handoff,
    IdempotentResponse,
    Message,
    MessageStatus,
    Need,
    Promise,
    PushSubscription,
    ServiceRequest,
    ShareLink,
    StageRun,
    TrackingLink,
    TrustedDevice,
    VerificationCode,
)
from portal.models.messages.message import IS_NOTICE
from portal.operations.privacy.classification import (
    ERASED,
    ERASED_NAME,
    reduce_event_data,
    replacements,
)
from portal.operations.privacy.digests import address_digest, get_address_key
from portal.operations.privacy.message_rows import (
    ADDRESS_SUBJECTS,
    erase_addresses,
    erase_balls,
    erase_texts,
    execute,
)
from portal.operations.privacy.naming_rows import find_rows_naming
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.person import PersonScope
from portal.queries.requests import lock_by_id

CHUNK = 500
UNSETTLED = (MessageStatus.QUEUED, MessageStatus.UNKNOWN, MessageStatus.REVIEW)
TABLES_OF_A_REQUEST: tuple[Any, ...] = (StageRun, Handoff, Promise, FollowUp, Contact, Need)
ROWS_OF_A_REQUEST: tuple[Any, ...] = (TrackingLink, ShareLink, VerificationCode)
ROWS_OF_A_CUSTOMER: tuple[Any, ...] = (
    ContactPoint,
    PushSubscription,
    TrustedDevice,
    VerificationCode,
)


class RowEraser:
    """Erases what a scope covers. Files on disk are the caller's, by the digests returned.

    With ``is_replay`` no process sends messages of this database, so none is waited for.
    """

    def __init__(self, uow: UnitOfWork, scope: PersonScope, *, is_replay: bool = False) -> None:
        self._uow = uow
        self._scope = scope
        self._unsettled = (*UNSETTLED, MessageStatus.SENDING) if is_replay else UNSETTLED

    async def erase(self) -> list[str]:
        """Erase all of it. Gives the digests of the files whose rows are gone.

        Raises Conflict while a message to the person is being sent.
        """
        requests = [
            await lock_by_id(self._uow.session, request_id)
            for request_id in self._scope.request_ids
        ]
        references = [request.reference for request in requests]
        digests = await self._erase_messages()
        await self._erase_notices(references)
        await self._erase_idempotent_responses(references)
        for request in requests:
            self._erase_request(request)
        await self._uow.session.flush()
        for request_ids in _chunks(self._scope.request_ids):
            await self._erase_histories(request_ids)
        await self._erase_consents()
        await self._erase_customers()
        await self._uow.session.flush()
        return digests

    def _erase_request(self, request: ServiceRequest) -> None:
        request.title = request.workflow.name
        request.fields = {}
        request.external_id = None
        request.customer_note = ERASED if request.customer_note else ""
        request.close_reason = ERASED if request.close_reason else ""
        request.unanswered_since = request.next_check_at = request.next_update_at = None
        request.has_open_ball = False
        request.erased_at = self._uow.now
        request.version += 1
        self._uow.mark_page_changed(request)

    async def _erase_histories(self, request_ids: Sequence[int]) -> None:
        """What belongs to these requests: their events, stages, promises, questions, links."""
        session = self._uow.session
        promises = sa.update(Promise).where(
            col(Promise.request_id).in_(request_ids), col(Promise.closed_at).is_(None)
        )
        await self._execute(promises.values(closed_at=self._uow.now, closed_reason=ERASED))
        for table in TABLES_OF_A_REQUEST:
            update = sa.update(table).where(col(table.request_id).in_(request_ids))
            await self._execute(update.values(replacements(table)))
        for with_fields in (StageRun, FollowUp):
            update = sa.update(with_fields).where(col(with_fields.request_id).in_(request_ids))
            await self._execute(update.values(fields={}))
        await erase_balls(self._uow, col(DroppedBall.request_id).in_(request_ids))
        events = await session.exec(select(Event).where(col(Event.request_id).in_(request_ids)))
        for event in events:
            event.data = reduce_event_data(event.data)
        for table in ROWS_OF_A_REQUEST:
            await self._execute(sa.delete(table).where(col(table.request_id).in_(request_ids)))
        await session.flush()

    async def _erase_messages(self) -> list[str]:
        session = self._uow.session
        query = select(Message.id, Message.status).where(self._scope.messages).with_for_update()
        found = (await session.exec(query)).all()
        is_sending = any(status == MessageStatus.SENDING for _, status in found)
        if is_sending and MessageStatus.SENDING not in self._unsettled:
            raise Conflict(
                "A message to this person is being sent at this moment. Please try again in a "
                "minute."
            )
        digests: set[str] = set()
        for ids in _chunks([id_ or 0 for id_, _ in found]):
            digests |= await self._erase_message_rows(ids)
        for _, address in self._scope.own_addresses:
            # Balls about an address as a whole name it.
            subjects = [f"{beginning}{address}"[:64] for beginning in ADDRESS_SUBJECTS]
            await erase_balls(
                self._uow,
                sa.and_(
                    col(DroppedBall.subject).in_(subjects),
                    self._scope.is_in_time(DroppedBall.raised_at),
                ),
            )
        return sorted(digests)

    async def _erase_message_rows(self, ids: Sequence[int]) -> set[str]:
        of_messages = col(Message.id).in_(ids)
        attachments = col(Attachment.message_id).in_(ids)
        stored = select(Attachment.digest).where(attachments, col(Attachment.digest) != "")
        digests = set((await self._uow.session.exec(stored)).all())
        of_attachments = select(Attachment.id).where(attachments)
        await self._execute(
            sa.delete(AttachmentRead).where(col(AttachmentRead.attachment_id).in_(of_attachments))
        )
        await self._execute(sa.delete(Attachment).where(attachments))
        unsettled = sa.update(Message).where(of_messages, col(Message.status).in_(self._unsettled))
        await self._execute(
            unsettled.values(
                status=MessageStatus.SUPPRESSED, reason=DeliveryReason.NO_ADDRESS, claim_token=None
            )
        )
        await erase_texts(self._uow, ids)
        await erase_addresses(self._uow, ids)
        return digests

    async def _erase_notices(self, references: Sequence[str]) -> None:
        """Mail to staff that names one of these requests or addresses."""
        needles = [*references, *(address for _, address in self._scope.own_addresses)]
        in_time = self._scope.is_in_time(Message.created_at)
        found = await find_rows_naming(
            self._uow.session, Message, ("subject", "body"), needles, sa.text(IS_NOTICE), in_time
        )
        for ids in _chunks(found):
            notices = col(Message.id).in_(ids)
            unsent = sa.update(Message).where(notices, col(Message.status).in_(self._unsettled))
            await self._execute(
                unsent.values(status=MessageStatus.SUPPRESSED, reason=DeliveryReason.SUPERSEDED)
            )
            await self._execute(sa.update(Message).where(notices).values(replacements(Message)))

    async def _erase_idempotent_responses(self, references: Sequence[str]) -> None:
        """Responses and keys that have the reference or address in them."""
        needles = [*references, *(address for _, address in self._scope.addresses)]
        in_time = self._scope.is_in_time(IdempotentResponse.created_at)
        # Also as a part: what a caller makes a key of is not known.
        found = await find_rows_naming(
            self._uow.session, IdempotentResponse, ("body", "idempotency_key"), needles, in_time,
            is_whole=False,
        )  # fmt: skip
        for ids in _chunks(found):
            responses = sa.delete(IdempotentResponse).where(col(IdempotentResponse.id).in_(ids))
            await self._execute(responses)

    async def _erase_consents(self) -> None:
        """The ledger stays, by digests: a stop is still a stop when the address comes back."""
        key = await get_address_key(self._uow.session, self._uow.now)
        for channel, address in self._scope.own_addresses:
            digest = address_digest(key, channel, address)
            await self._execute(
                sa.update(Consent)
                .where(
                    col(Consent.channel) == channel,
                    col(Consent.address) == address,
                    self._scope.is_in_time(Consent.at),
                )
                .values(address=digest, evidence="")
            )
        for channel, address in set(self._scope.addresses) - set(self._scope.own_addresses):
            of_requests = (
                col(Consent.address) == address,
                col(Consent.request_id).in_(self._scope.request_ids),
            )
            digest = address_digest(key, channel, address)
            await self._execute(
                sa.update(Consent).where(*of_requests).values(address=digest, evidence="")
            )

    async def _erase_customers(self) -> None:
        ids = self._scope.customer_ids
        await self._execute(
            sa.update(Customer)
            .where(col(Customer.id).in_(ids))
            .values(
                name=ERASED_NAME, locale="en", timezone="UTC", preferred_channel=None,
                quiet_hours="", takes_questions=True,
            )
        )  # fmt: skip
        for table in ROWS_OF_A_CUSTOMER:
            await self._execute(sa.delete(table).where(col(table.customer_id).in_(ids)))
        for _, address in self._scope.own_addresses:
            for of_address in (TrustedDevice, VerificationCode):
                in_time = self._scope.is_in_time(of_address.created_at)
                await self._execute(
                    sa.delete(of_address).where(col(of_address.address) == address, in_time)
                )

    async def _execute(self, statement: Any) -> None:
        await execute(self._uow, statement)


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """The values in parts that one statement can take."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
