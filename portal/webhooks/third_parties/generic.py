"""Reports of systems of your own, with the fields of the API's third-party events."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from portal.errors import BadInput
from portal.models import ThirdPartyCode
from portal.operations import ThirdPartyReport
from portal.operations.third_parties.reports import (
    MAX_EVENT_ID_LENGTH,
    MAX_NAME_LENGTH,
    MAX_PLACE_LENGTH,
    MAX_TRACKING_NUMBER_LENGTH,
    MAX_UPDATE_LENGTH,
)
from portal.web.times import DayOrMoment, Moment


class GenericReport(BaseModel):
    """The body of such a call."""

    model_config = ConfigDict(extra="forbid")

    number: Annotated[str, Field(min_length=1, max_length=MAX_TRACKING_NUMBER_LENGTH)]
    carrier: Annotated[str, Field(max_length=MAX_NAME_LENGTH)] = ""
    code: ThirdPartyCode | None = None
    description: Annotated[str, Field(max_length=MAX_UPDATE_LENGTH)] = ""
    place: Annotated[str, Field(max_length=MAX_PLACE_LENGTH)] = ""
    time: Moment | None = None
    estimated_date: DayOrMoment | None = None
    event_id: Annotated[str, Field(max_length=MAX_EVENT_ID_LENGTH)] = ""


def read_generic(document: dict[str, Any]) -> ThirdPartyReport:
    """The report. Raises BadInput, which names each field that cannot be used or is missing."""
    try:
        body = GenericReport.model_validate(document)
    except ValidationError as invalid:
        fields = {
            ".".join(map(str, error["loc"]))[:100]: str(error["msg"])
            for error in invalid.errors(include_url=False, include_input=False)[:20]
        }
        names = ", ".join(fields)
        raise BadInput(f"These fields cannot be used: {names}.", fields=fields) from None
    if body.code is None and not body.description.strip():
        codes = ", ".join(ThirdPartyCode)
        raise BadInput(
            "Please say what is reported: a code, a description, or both.",
            fields={"code": f"one of {codes}", "description": "some words"},
        )
    return ThirdPartyReport(
        carrier=body.carrier, number=body.number, code=body.code, description=body.description,
        place=body.place, at=body.time, estimated=body.estimated_date,
        event_id=body.event_id,
    )  # fmt: skip
