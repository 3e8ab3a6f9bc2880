"""A failed message: its text, the reason of the failure, and what can be done."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlmodel.ext.asyncio.session import AsyncSession

from portal import business_time
from portal.desk.auth.current_staff import CurrentStaff
from portal.desk.failed_messages.view_models import FailedMessageLine
from portal.desk.labels import CHANNEL_LABELS
from portal.desk.request.conversation.presenter import ConversationPresenter
from portal.desk.widgets import Choice
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import Channel, Department, Message, MessageStatus, SendAttempt, ServiceRequest
from portal.models.columns import saved_id
from portal.operations.delivery.failed_messages import (
    CHANGE_THE_TEXT,
    FAILED_OR_UNKNOWN,
    FAILED_STATUSES,
    may_have_been_sent,
    never_resend_reason,
)
from portal.queries.api_lists import send_attempts_by_message
from portal.queries.consent import ConsentQuery, find_permitted
from portal.queries.desk.board import all_departments
from portal.queries.desk.failed_messages import requests_by_id
from portal.rules.authorization import Act

CHANNEL_NAMES = {Channel.SMS: "SMS", Channel.EMAIL: "e-mail"}
NO_WORKING_ADDRESS = {
    Channel.SMS: "No working phone number.",
    Channel.EMAIL: "No working e-mail address.",
}


async def present_failed_messages(
    session: AsyncSession, messages: Sequence[Message], reader: CurrentStaff
) -> list[FailedMessageLine]:
    """These messages, with what this reader may do."""
    requests = await requests_by_id(session, {message.request_id for message in messages})
    departments = {
        saved_id(department): department for department in await all_departments(session)
    }
    consent_queries = {
        ConsentQuery(channel, address, request.id)
        for request in requests.values()
        for channel in CHANNEL_NAMES
        for address in request.customer.addresses(channel, business_time.now())
    }
    permitted = await find_permitted(session, consent_queries) if consent_queries else set()
    attempts = await send_attempts_by_message(session, messages)
    presenter = FailedMessagePresenter(reader, requests, departments, permitted, attempts)
    return [presenter.line(message) for message in messages]


@dataclass(frozen=True, slots=True)
class FailedMessagePresenter:
    """Builds the lines of failed messages from what was loaded for them."""

    reader: CurrentStaff
    requests: Mapping[int, ServiceRequest]
    departments: Mapping[int, Department]
    permitted: Collection[ConsentQuery]
    attempts: Mapping[int, list[SendAttempt]]

    def line(self, message: Message) -> FailedMessageLine:
        """One message, with what this reader may do; each action checks it again."""
        request = self.requests.get(message.request_id or 0)
        if request is None:
            return self._unknown_sender_line(message)
        customer, now = request.customer, business_time.now()
        department = self.departments[request.department_id]
        conversation = ConversationPresenter(
            TimeFormatter("en", department.timezone, now), self.attempts
        )
        line = FailedMessageLine(
            id=saved_id(message),
            url=f"/desk/messages/{message.id}",
            entry=conversation.entry(message, customer.first_name, customer.readable_timezone),
            customer=customer.name,
            reference=request.reference,
            request_url=f"/desk/requests/{request.reference}",
            title=request.title,
            department=department.name,
            phone=customer.address(Channel.SMS, now) or "",
        )
        if not self.reader.may(Act.RESOLVE_MESSAGE, request):
            return replace(line, hints=[f"Assigned to {department.name} (read-only)."])
        return replace(
            self._with_options(line, message, request), may_mark_told=_may_mark_told(message)
        )

    def _with_options(
        self, line: FailedMessageLine, message: Message, request: ServiceRequest
    ) -> FailedMessageLine:
        """What may still be sent, and the hints for the rest."""
        if message.handled_at is not None or message.status not in FAILED_OR_UNKNOWN:
            return line
        if message.status == MessageStatus.UNKNOWN:
            hint = "The carrier is being asked for the delivery status. Until then only a call is safe."
            return replace(line, hints=[hint])
        channels = [
            Choice(channel.value, f"{CHANNEL_LABELS[channel]} to {addresses[0]}")
            for channel in CHANNEL_NAMES
            if (addresses := self._permitted_addresses(request, channel))
        ]
        channels.sort(key=lambda choice: choice.value != message.channel)
        addresses = self._permitted_addresses(request, message.channel)
        addresses.sort(key=lambda address: address != message.to_address)
        hints = self._hints(request)
        if never_resend_reason(message):
            return replace(line, channels=channels, hints=[CHANGE_THE_TEXT, *hints])
        if not addresses:
            return replace(line, channels=channels, hints=hints)
        may_arrive_twice = may_have_been_sent(message)
        if may_arrive_twice:
            hints.append("If the first one arrived after all, the customer gets it twice.")
        return replace(
            line,
            retry_label="Send again (may arrive twice)" if may_arrive_twice else "Send again",
            addresses=[Choice(address, address) for address in addresses],
            channels=channels,
            hints=hints,
        )

    def _permitted_addresses(self, request: ServiceRequest, channel: Channel) -> list[str]:
        """The valid addresses of that channel with consent, the newest first."""
        valid = request.customer.addresses(channel, business_time.now())
        return [
            address
            for address in reversed(valid)
            if ConsentQuery(channel, address, request.id) in self.permitted
        ]

    def _hints(self, request: ServiceRequest) -> list[str]:
        """The channels that cannot be used, and why."""
        hints = []
        for channel, name in CHANNEL_NAMES.items():
            points = [
                point for point in request.customer.contact_points if point.channel == channel
            ]
            if points and not request.customer.addresses(channel, business_time.now()):
                hints.append(NO_WORKING_ADDRESS[channel])
            elif points and not self._permitted_addresses(request, channel):
                hints.append(f"Opted out of {name}.")
        return hints

    def _unknown_sender_line(self, message: Message) -> FailedMessageLine:
        """A message to an unknown sender: only managers may act on it."""
        conversation = ConversationPresenter(
            TimeFormatter("en", "UTC", business_time.now()), self.attempts
        )
        may_act = self.reader.may(Act.RESOLVE_MESSAGE, None)
        retry = "Send again" if may_act and _may_resend(message) else ""
        return FailedMessageLine(
            id=saved_id(message),
            url=f"/desk/messages/{message.id}",
            entry=conversation.entry(message, "Somebody", "UTC"),
            customer=message.to_address,
            reference="",
            request_url="",
            title="No request",
            department="",
            retry_label=retry,
            addresses=[Choice(message.to_address, message.to_address)],
            may_mark_told=may_act and _may_mark_told(message),
        )


def _may_resend(message: Message) -> bool:
    ended = message.handled_at is None and message.status in FAILED_STATUSES
    return ended and not never_resend_reason(message)


def _may_mark_told(message: Message) -> bool:
    return message.handled_at is None and (
        message.status in FAILED_OR_UNKNOWN or message.possible_duplicate
    )
