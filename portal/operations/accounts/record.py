"""The record of what happens to accounts: a row that admins see, and a line in the log."""

from dataclasses import dataclass

import structlog

from portal.messaging.wording.account_notices import render_account_notice
from portal.models import AccountEvent, AccountEventKind, SignInEnd, StaffMember
from portal.models.columns import saved_id
from portal.operations.unit_of_work import UnitOfWork

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Client:
    """The browser that took part: a short label, and its network. Empty for a command."""

    browser: str = ""
    network: str = ""


NO_CLIENT = Client()


async def record_account_event(
    uow: UnitOfWork,
    staff: StaffMember,
    kind: AccountEventKind,
    *,
    client: Client = NO_CLIENT,
    end_reason: SignInEnd | None = None,
    notify: bool = False,
) -> None:
    """Record a fact about the person's account. The log line names them by id only.

    With ``notify`` they get an e-mail about it, where a mail server is set.
    """
    event = AccountEvent(
        staff_id=saved_id(staff),
        at=uow.now,
        kind=kind,
        end_reason=end_reason,
        actor=uow.actor.name[:120],
        browser=client.browser,
        network=client.network,
    )
    uow.session.add(event)
    await uow.session.flush()
    log.info(
        "account",
        event_kind=kind.value,
        staff_id=staff.id,
        by_staff_id=uow.actor.staff_id,
        reason=end_reason.value if end_reason else None,
        network=client.network or None,
    )
    if notify and uow.settings.sends_mail:
        subject, body = render_account_notice(uow.settings.brand, staff, event)
        await uow.outbox.queue_staff_notice(f"account:{event.id}", staff.email, subject, body)
