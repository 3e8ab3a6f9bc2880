"""What every response model is made of, and the references to people."""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from portal.messaging.link_masking import mask_secrets_within
from portal.models import ActorKind
from portal.queries.names import Names

Item = TypeVar("Item")


class ResponseModel(BaseModel):
    """The base of every response: every field is always present, under its JSON name.

    No text holds a customer's link, except the fields in ``link_fields``.
    """

    model_config = ConfigDict(extra="forbid", validate_by_name=True, serialize_by_alias=True)
    columns: ClassVar[Mapping[str, str]] = {}
    """By the name of a field, the attribute it is read from, where the two differ."""
    link_fields: ClassVar[Collection[str]] = ()
    """The fields that give the customer's link itself."""

    @field_validator("*", mode="after")
    @classmethod
    def _mask_secrets(cls, value: Any, field: ValidationInfo) -> Any:
        return value if field.field_name in cls.link_fields else mask_secrets_within(value)

    @classmethod
    def from_object(cls, source: object, **extra: Any) -> Self:
        """Copy the object's attributes by the names of the fields; ``extra`` has the other fields."""
        copied = {
            name: getattr(source, cls.columns.get(name, name))
            for name in cls.model_fields
            if name not in extra
        }
        return cls(**copied, **extra)


class PageResponse(ResponseModel, Generic[Item]):
    """One page of a list; ``next_cursor`` is null on the last."""

    items: list[Item]
    next_cursor: str | None


class StaffReference(ResponseModel):
    """A member of staff."""

    email: str
    name: str

    @classmethod
    def of(cls, names: Names, staff_id: int | None) -> Self | None:
        """The person with this id; None for no id."""
        person = names.person(staff_id)
        return cls.from_object(person) if person else None


class ActorReference(ResponseModel):
    """Who did it: staff, the customer, another system, or Kept itself."""

    kind: ActorKind
    name: str
    key: str | None = Field(description="The API key that called, also where it named a person.")
