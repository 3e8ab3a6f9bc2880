"""A report of a third party as it comes in: checked, and made into the event that rules read."""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from portal.carriers import Carriers, tracking_key
from portal.errors import BadInput
from portal.messaging.one_line import one_line
from portal.models import ActorKind, ServiceRequest, ThirdPartyCode
from portal.operations.unit_of_work import UnitOfWork
from portal.rules.third_parties import ThirdPartyEvent

MAX_UPDATE_LENGTH = 160
MAX_NAME_LENGTH = 80
MAX_PLACE_LENGTH = 80
MAX_TRACKING_NUMBER_LENGTH = 64
MAX_EVENT_ID_LENGTH = 200
MAX_AGE = timedelta(days=366)
"""How long ago an event of theirs may be."""
MAX_ESTIMATE = timedelta(days=90)
"""How far off a date of theirs may be."""
CLOCK_SKEW = timedelta(minutes=10)
DELIVERY_DAY_ENDS = time(20)
"""By when a parcel has come on the day that a carrier names, in the customer's time zone."""


@dataclass(frozen=True, slots=True)
class ThirdPartyReport:
    """What a third party says, as it was given; all of it is checked by ``read_report``.

    ``at`` is by default now; without an offset it is the customer's local time. ``estimated`` is
    when they expect to be done; a date alone is the end of that day. ``event_id`` is their own
    id of the event, ``call_id`` that of the call: the event's where that has no time of its own.
    """

    carrier: str = ""
    number: str = ""
    code: ThirdPartyCode | None = None
    description: str = ""
    place: str = ""
    at: datetime | None = None
    estimated: date | datetime | None = None
    event_id: str = ""
    call_id: str = ""


def read_report(
    uow: UnitOfWork, request: ServiceRequest, report: ThirdPartyReport
) -> ThirdPartyEvent:
    """The event of this report. Raises BadInput, which names the field and its remedy."""
    description = check_length("description", report.description, MAX_UPDATE_LENGTH)
    number = check_length("number", report.number, MAX_TRACKING_NUMBER_LENGTH)
    place = check_length("place", report.place, MAX_PLACE_LENGTH)
    carrier = check_length("carrier", report.carrier, MAX_NAME_LENGTH)
    carrier = known_carriers(uow).name_of(carrier)
    event_id = check_length("event_id", report.event_id, MAX_EVENT_ID_LENGTH)
    if number and not tracking_key(number):
        raise BadInput(
            "This is no tracking number.", fields={"number": "letters and digits, such as JD014"}
        )
    if not description and report.code is None:
        codes = ", ".join(ThirdPartyCode)
        raise BadInput(
            "Please say what they report: a code, a description, or both.",
            fields={"code": f"one of {codes}", "description": "some words"},
        )
    at = _in_zone(request, report.at) if report.at else uow.now
    if at is None or at < uow.now - MAX_AGE:
        raise BadInput("That is too long ago.", fields={"time": "a time within the last year"})
    at = check_time(at, uow.now, "time")
    estimated_at = _estimate(uow, request, report.estimated)
    # With their date: the same scan with another date is news.
    named = (carrier, tracking_key(number), report.code or description, at.isoformat(), str(report.estimated or ""))  # fmt: skip
    return ThirdPartyEvent(
        at=at,
        key=_key(event_id) if event_id else _key(*named),
        carrier=carrier,
        number=number,
        code=report.code,
        description=description,
        place=place,
        estimated_at=estimated_at,
        is_by_person=uow.actor.kind == ActorKind.STAFF,
    )


def fitted(report: ThirdPartyReport, request: ServiceRequest, now: datetime) -> ThirdPartyReport:
    """The report of a provider as far as it can be used, for one whose calls nobody corrects.

    Texts are cut, a time to come is now, and a date that is too far off is left out. An event
    without a time that has been is known by its call, so that a repeated call is no other event.
    """
    at, estimated = report.at, report.estimated
    moment = _in_zone(request, at) if at else None
    by = _in_zone(request, _end_of(estimated)) if estimated else None
    return replace(
        report,
        number=one_line(report.number)[:MAX_TRACKING_NUMBER_LENGTH],
        description=one_line(report.description)[:MAX_UPDATE_LENGTH].strip(),
        place=one_line(report.place)[:MAX_PLACE_LENGTH].strip(),
        at=min(moment, now) if moment else None,
        event_id=report.event_id or ("" if moment and moment <= now else report.call_id),
        estimated=estimated if by and by <= now + MAX_ESTIMATE else None,
    )


def known_carriers(uow: UnitOfWork) -> Carriers:
    """The carriers of this installation."""
    return uow.settings.all_carriers


def check_time(at: datetime, now: datetime, field: str) -> datetime:
    """The time of the report. Raises BadInput for one to come."""
    if at > now + CLOCK_SKEW:
        raise BadInput("They cannot have said that yet.", fields={field: "a time that has been"})
    return min(at, now)


def check_length(field: str, text: str, max_length: int) -> str:
    """The text as one line. Raises BadInput where it is too long."""
    text = one_line(text)
    if len(text) > max_length:
        raise BadInput(
            f"Please keep it to {max_length} letters.",
            fields={field: f"at most {max_length} letters"},
        )
    return text


def _estimate(
    uow: UnitOfWork, request: ServiceRequest, estimated: date | datetime | None
) -> datetime | None:
    """The moment by which they expect to be done; None where that has passed."""
    if estimated is None:
        return None
    moment = _in_zone(request, _end_of(estimated))
    if moment is None or moment > uow.now + MAX_ESTIMATE:
        raise BadInput(
            f"Please give a date within {MAX_ESTIMATE.days} days.",
            fields={"estimated_date": f"a date within {MAX_ESTIMATE.days} days"},
        )
    return moment if moment > uow.now else None


def _end_of(day: date | datetime) -> datetime:
    """The moment, or by when a parcel has come on the day."""
    return day if isinstance(day, datetime) else datetime.combine(day, DELIVERY_DAY_ENDS)


def _in_zone(request: ServiceRequest, at: datetime) -> datetime | None:
    """The moment in UTC; without an offset it is read in the customer's time zone.

    None at the ends of the calendar, where there is none.
    """
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(request.customer.readable_timezone))
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return None


def _key(*parts: str) -> str:
    """The same short text for the same parts; nobody reads them back from it."""
    return hashlib.sha256("\0".join(parts).casefold().encode()).hexdigest()[:32]
