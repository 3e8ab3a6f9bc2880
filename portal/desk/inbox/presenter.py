"""The rows of the inbox: the customer, what is due and when, and their last message."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.desk.auth.current_staff import as_person
from portal.desk.labels import REASON_LABELS, iso, since, truncate_quote, way_label
from portal.desk.request.conversation.presenter import ATTACHMENTS_ONLY
from portal.desk.widgets import Person, When
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import (
    ContactReason,
    Department,
    Message,
    PromiseKind,
    StaffMember,
)
from portal.models.columns import saved_id
from portal.queries.desk.inbox import DueReply


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One reply or call-back due. ``call_url`` opens the page with the call form."""

    key: str
    url: str
    call_url: str
    customer: str
    awaited: str
    quote: str
    title: str
    reference: str
    department: str
    owner: Person | None
    due: When
    arrived: str
    files: str


@dataclass(frozen=True, slots=True)
class UnknownSenderLine:
    """A text of an unknown sender."""

    id: int
    number: str
    body: str
    at: When


@dataclass(frozen=True, slots=True)
class InboxPresenter:
    """Builds rows, with times in one zone."""

    times: TimeFormatter
    people: Mapping[int, StaffMember]
    departments: Mapping[int, Department]

    def row(
        self, due_reply: DueReply, last_messages: Mapping[int, Message], files: Mapping[int, int]
    ) -> InboxRow:
        """One promise, with the customer's last message; ``wrote`` is keyed by the request's id."""
        promise, request, customer = due_reply
        last = last_messages.get(saved_id(request))
        owner = self.people.get(promise.owner_id)
        number = files.get(saved_id(last), 0) if last else 0
        is_call = promise.kind == PromiseKind.CALL
        url = f"/desk/requests/{request.reference}?from=inbox"
        return InboxRow(
            key=str(promise.id),
            url=f"{url}&call=1" if is_call else url,
            call_url=f"{url}&call=1",
            customer=customer,
            awaited="Call-back due" if is_call else "Reply due",
            quote=truncate_quote(last.body) if last else "",
            title=request.title,
            reference=request.reference,
            department=self.departments[promise.department_id].name,
            owner=as_person(owner) if owner else None,
            due=self.due(promise.due_at),
            arrived=way_label(last) if last else "",
            files={0: "", 1: "1 file"}.get(number, f"{number} files"),
        )

    def unknown_senders(self, texts: Sequence[Message]) -> list[UnknownSenderLine]:
        """The texts of unknown senders."""
        return [
            UnknownSenderLine(
                saved_id(text),
                text.from_address,
                text.body or ATTACHMENTS_ONLY,
                since(self.times, text.created_at),
            )
            for text in texts
        ]

    def due(self, at: datetime) -> When:
        """The due time and how far it is: "by 3:40 pm, in 25 min", "overdue by 2 h"."""
        time_left = at - self.times.now
        if time_left < timedelta():
            return When(iso(at), f"overdue by {short_duration(-time_left)}", late=True)
        return When(iso(at), f"by {self.times.by(at)}, in {short_duration(time_left)}")


def short_duration(duration: timedelta) -> str:
    """A duration in one unit: "25 min", "2 h", "3 days"."""
    minutes = int(duration.total_seconds() // 60)
    if minutes < 90:
        return f"{max(1, minutes)} min"
    hours = round(minutes / 60)
    return f"{hours} h" if hours < 48 else f"{round(hours / 24)} days"


def summarize_reasons(counts: Mapping[ContactReason, int]) -> str:
    """Contact reasons with their numbers, "Status question 12, question 3"; empty for none."""
    text = ", ".join(
        f"{REASON_LABELS[reason].lower()} {number}" for reason, number in counts.items()
    )
    return text[:1].upper() + text[1:]
