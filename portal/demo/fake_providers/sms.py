"""One text at the carrier, and its two representations."""

from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Literal

from portal.demo.fake_providers.errors import DELIVERY_ERRORS
from portal.demo.fake_providers.faults import Fault
from portal.demo.fake_providers.segments import count_segments

API_VERSION = "2010-04-01"


def number_of(address: str) -> str:
    """The number in an address such as +14155550132 or whatsapp:+14155550132."""
    return address.rpartition(":")[2]


@dataclass(slots=True, kw_only=True)
class Text:
    """A text in or out. Times are UTC, addresses and statuses are Twilio's."""

    from_: str
    to: str
    body: str
    direction: Literal["inbound", "outbound-api", "outbound-reply"]
    status: str
    media: tuple[str, ...] = ()
    messaging_service_sid: str | None = None
    status_callback: str | None = None
    validity_period: int | None = None
    content_sid: str | None = None
    error_code: int | None = None
    faults: tuple[Fault, ...] = ()
    """The faults of its delivery and its callbacks."""
    sid: str
    created_at: datetime
    updated_at: datetime = field(init=False)
    sent_at: datetime | None = None
    statuses: list[str] = field(init=False)
    """Every status it has had, oldest first."""
    webhooks: list[dict[str, Any]] = field(default_factory=list)
    """Every webhook about it and how it was answered, oldest first."""

    def __post_init__(self) -> None:
        self.updated_at = self.created_at
        self.statuses = [self.status]

    @property
    def is_inbound(self) -> bool:
        """Whether a customer wrote it."""
        return self.direction == "inbound"

    @property
    def phone(self) -> str:
        """The customer's number."""
        return number_of(self.from_ if self.is_inbound else self.to)

    @property
    def segments(self) -> int:
        """The number of parts that it is sent in; one by WhatsApp and RCS."""
        return 1 if ":" in self.to else count_segments(self.body)

    def move(self, status: str, error_code: int | None, at: datetime) -> None:
        """Take the next status."""
        self.status, self.error_code = status, error_code
        self.updated_at = at
        if status == "sent":
            self.sent_at = self.updated_at
        self.statuses.append(status)

    def as_json(self) -> dict[str, Any]:
        """The control API's representation, for pages and assertions."""
        return {
            "sid": self.sid,
            "direction": "in" if self.is_inbound else "out",
            "from": self.from_,
            "to": self.to,
            "body": self.body,
            "status": self.status,
            "statuses": list(self.statuses),
            "error_code": self.error_code,
            "segments": self.segments,
            "media": list(self.media),
            "content_sid": self.content_sid,
            "created_at": self.created_at.isoformat(),
            "updated_at": self.updated_at.isoformat(),
            "webhooks": list(self.webhooks),
        }

    def as_twilio(self, account_sid: str) -> dict[str, Any]:
        """Twilio's Message resource: https://www.twilio.com/docs/messaging/api/message-resource."""
        uri = f"/{API_VERSION}/Accounts/{account_sid}/Messages/{self.sid}"
        unassigned = self.status == "accepted"  # a messaging service has not picked a sender yet
        return {
            "account_sid": account_sid,
            "api_version": API_VERSION,
            "body": self.body,
            "date_created": format_datetime(self.created_at),
            "date_sent": format_datetime(self.sent_at) if self.sent_at else None,
            "date_updated": format_datetime(self.updated_at),
            "direction": self.direction,
            "error_code": self.error_code,
            "error_message": DELIVERY_ERRORS.get(self.error_code) if self.error_code else None,
            "from": None if unassigned else self.from_,
            "messaging_service_sid": self.messaging_service_sid,
            "num_media": str(len(self.media)),
            "num_segments": "0" if unassigned else str(self.segments),
            "price": None,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": self.to,
            "uri": f"{uri}.json",
        }
