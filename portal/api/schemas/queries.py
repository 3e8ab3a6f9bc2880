"""The query parameters of each list."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from portal.api.schemas.fields import Cursor, Email, Key, ShortText
from portal.models import RequestStatus


class PageQuery(BaseModel):
    """The page of a list."""

    model_config = ConfigDict(extra="forbid")

    cursor: Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class RequestQuery(PageQuery):
    """Filters of requests."""

    department: Key | None = Field(default=None, description="The key of the one that has it.")
    stage: Key | None = Field(default=None, description="The key of a stage that is open.")
    status: RequestStatus | None = None
    owner: Email | None = Field(default=None, description="The owner's e-mail address.")
    q: ShortText | None = Field(
        default=None,
        description="A reference, an external_id, the customer's phone or e-mail address, "
        "or how their name begins.",
    )


class DroppedBallQuery(PageQuery):
    """Filters of dropped balls: open and closed ones where ``open`` is not given."""

    open: bool | None = None


class MessageQuery(PageQuery):
    """Filters of messages: those that need a person."""

    needs: Literal["person"] = Field(
        description="`person`: they did not get through, or nobody knows, and nobody saw to it."
    )


class NoQuery(BaseModel):
    """No parameters: a call that reads one resource rejects any."""

    model_config = ConfigDict(extra="forbid")
