"""The types of times in the JSON that other systems send: to the API, and to webhooks of their own."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from portal import business_time
from portal.operations.third_parties.reports import MAX_ESTIMATE

MAX_DATE_DISTANCE = timedelta(days=3653)


def parse_time(value: object) -> datetime:
    """The time in UTC of an ISO 8601 text with an offset. Raises ValueError with a sentence."""
    not_a_time = "This must be a time like 2026-12-01T17:00:00Z."
    if not isinstance(value, str):
        raise ValueError(not_a_time)  # noqa: TRY004 (pydantic takes ValueErrors)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(not_a_time) from None
    if moment.tzinfo is None:
        raise ValueError("Please say which zone: end the time with Z or an offset like -05:00.")
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("That is too far away.") from None
    if abs(moment - business_time.now()) > MAX_DATE_DISTANCE:
        raise ValueError("Please give a time within ten years.")
    return moment


def _parse_day_or_time(value: object) -> date | datetime:
    """A day, or a time with an offset. Raises ValueError with a sentence."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) else parse_time(value)
    except ValueError:
        return parse_time(value)


Moment = Annotated[
    datetime,
    BeforeValidator(parse_time),
    WithJsonSchema(
        {
            "type": "string",
            "format": "date-time",
            "description": "ISO 8601 with Z or an offset, within ten years of now.",
        }
    ),
]
DayOrMoment = Annotated[
    date | datetime,
    BeforeValidator(_parse_day_or_time),
    WithJsonSchema(
        {
            "type": "string",
            "format": "date",
            "description": "A day of the customer; a time with an offset is accepted too. Within "
            f"{MAX_ESTIMATE.days} days; one that has passed changes nothing.",
        }
    ),
]
