"""A message that needs a person: what it was, why it is here, and what can be done about it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlmodel.ext.asyncio.session import AsyncSession

from portal import business_time
from portal.desk.auth.current_staff import Reader
from portal.desk.board.view_models import LostLine
from portal.desk.labels import WAY
from portal.desk.request.conversation import Talk
from portal.desk.widgets import Choice
from portal.messaging.wording.time_format import Words
from portal.models import Channel, Department, Message, MessageStatus, SendAttempt, ServiceRequest
from portal.operations.delivery.failed_messages import (
    ENDED_BADLY,
    LOST,
    NO_BETTER,
    may_have_gone,
    why_never_again,
)
from portal.queries.api_lists import attempts_of
from portal.queries.consent import Wish, find_welcome
from portal.queries.desk.board import all_departments
from portal.queries.desk.failed_messages import requests_by_id

CALLED = {Channel.SMS: "text", Channel.EMAIL: "e-mail"}


async def draw_lost(
    session: AsyncSession, messages: Sequence[Message], reader: Reader
) -> list[LostLine]:
    """These messages as this reader may see to them."""
    requests = await requests_by_id(session, {one.request_id for one in messages})
    departments = {one.id or 0: one for one in await all_departments(session)}
    wishes = {
        Wish(channel, address, request.id)
        for request in requests.values()
        for channel in CALLED
        for address in request.customer.addresses(channel, business_time.now())
    }
    welcome = await find_welcome(session, wishes) if wishes else set()
    attempts = await attempts_of(session, messages)
    drawing = Mending(reader, requests, departments, welcome, attempts)
    return [drawing.line(one) for one in messages]


@dataclass(frozen=True, slots=True)
class Mending:
    """What was read for these messages: requests, departments, wishes, and tries by message."""

    reader: Reader
    requests: Mapping[int, ServiceRequest]
    departments: Mapping[int, Department]
    welcome: Collection[Wish]
    attempts: Mapping[int, list[SendAttempt]]

    def line(self, message: Message) -> LostLine:
        """One message, with what this reader may do; all of it is checked again when it is done."""
        request = self.requests.get(message.request_id or 0)
        if request is None:
            return self._strangers(message)
        customer, now = request.customer, business_time.now()
        department = self.departments[request.department_id]
        talk = Talk(Words("en", department.timezone, now), self.attempts)
        line = LostLine(
            id=message.id or 0,
            url=f"/desk/messages/{message.id}",
            entry=talk.entry(message, customer.first_name, customer.timezone),
            customer=customer.name,
            reference=request.reference,
            request_url=f"/desk/requests/{request.reference}",
            title=request.title,
            department=department.name,
            phone=customer.address(Channel.SMS, now) or "",
        )
        if not self.reader.may_act(request):
            return replace(line, hints=[f"{department.name} has it. You may read all of it."])
        return replace(self._with_ways(line, message, request), told=_may_be_told(message))

    def _with_ways(self, line: LostLine, message: Message, request: ServiceRequest) -> LostLine:
        """What may still be sent, and what stands in the way of the rest."""
        if message.settled_at is not None or message.status not in LOST:
            return line
        if message.status == MessageStatus.UNKNOWN:
            hint = "We still ask the carrier what became of it. Until then only a call is safe."
            return replace(line, hints=[hint])
        ways = [
            Choice(channel.value, f"{WAY[channel]} to {addresses[0]}")
            for channel in CALLED
            if (addresses := self._open(request, channel))
        ]
        ways.sort(key=lambda way: way.value != message.channel)
        addresses = self._open(request, message.channel)
        addresses.sort(key=lambda address: address != message.to_address)
        hints = self._hints(request)
        if why_never_again(message):
            return replace(line, ways=ways, hints=[NO_BETTER, *hints])
        if not addresses:
            return replace(line, ways=ways, hints=hints)
        doubtful = may_have_gone(message)
        if doubtful:
            hints.append("If the first one did arrive after all, they get it twice.")
        return replace(
            line,
            retry="Send it again, perhaps twice" if doubtful else "Send it again",
            addresses=[Choice(one, one) for one in addresses],
            ways=ways,
            hints=hints,
        )

    def _open(self, request: ServiceRequest, channel: Channel) -> list[str]:
        """Their valid addresses of that channel that may be written to, the newest first."""
        valid = request.customer.addresses(channel, business_time.now())
        return [one for one in reversed(valid) if Wish(channel, one, request.id) in self.welcome]

    def _hints(self, request: ServiceRequest) -> list[str]:
        """Which ways are closed, and why."""
        hints = []
        for channel, called in CALLED.items():
            points = [one for one in request.customer.contact_points if one.channel == channel]
            if points and not request.customer.addresses(channel, business_time.now()):
                hints.append(f"They have no address by {called} that still works.")
            elif points and not self._open(request, channel):
                hints.append(f"They asked us not to write by {called}.")
        return hints

    def _strangers(self, message: Message) -> LostLine:
        """An answer to somebody who has no request: only those who oversee all may see to it."""
        talk = Talk(Words("en", "UTC", business_time.now()), self.attempts)
        may_act = self.reader.staff.oversees
        retry = "Send it again" if may_act and _may_go_again(message) else ""
        return LostLine(
            id=message.id or 0,
            url=f"/desk/messages/{message.id}",
            entry=talk.entry(message, "Somebody", "UTC"),
            customer=message.to_address,
            reference="",
            request_url="",
            title="No request is behind it",
            department="",
            retry=retry,
            addresses=[Choice(message.to_address, message.to_address)],
            told=may_act and _may_be_told(message),
        )


def _may_go_again(message: Message) -> bool:
    ended = message.settled_at is None and message.status in ENDED_BADLY
    return ended and not why_never_again(message)


def _may_be_told(message: Message) -> bool:
    return message.settled_at is None and (message.status in LOST or message.possible_duplicate)
