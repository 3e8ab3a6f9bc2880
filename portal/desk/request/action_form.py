"""The form of an action at the desk, and what an action is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from starlette.datastructures import FormData

from portal.business_time import find_zone
from portal.desk.auth.access import field
from portal.desk.labels import parse_local_time
from portal.desk.request.offers.choices import FIELD_PREFIX
from portal.errors import BadInput
from portal.models import ServiceRequest
from portal.operations import UnitOfWork


@dataclass(frozen=True, slots=True)
class ActionForm:
    """The fields of one form; ``about`` is the id of its promise or message."""

    form: FormData
    about: int = 0

    def __getitem__(self, name: str) -> str:
        return field(self.form, name)

    @property
    def stage(self) -> str | None:
        """The key of the stage, where the form names one."""
        return self["stage"] or None

    @property
    def question_fields(self) -> dict[str, str]:
        """The values of the fields of a question, by name; those that are empty are left out."""
        names = [name for name in self.form if name.startswith(FIELD_PREFIX)]
        return {name.removeprefix(FIELD_PREFIX): self[name] for name in names if self[name]}

    def required_time(self, name: str) -> datetime:
        """A local time of the zone that the form names. Raises BadInput."""
        required_time = self.optional_time(name)
        if required_time is None:
            raise BadInput("Please give a time.", fields={name: "a date and a time"})
        return required_time

    def optional_time(self, name: str) -> datetime | None:
        """The same; None for an empty field."""
        if not self[name]:
            return None
        try:
            find_zone(self["zone"])
            return parse_local_time(self[name], self["zone"])
        except ValueError:
            raise BadInput(
                "Please give the time as a date and a time of day.",
                fields={name: "such as 2026-11-26T17:00"},
            ) from None


ActionHandler = Callable[[UnitOfWork, ServiceRequest, ActionForm], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Action:
    """One action: its handler, its success message, and whether it needs the current version.

    A change of state from an outdated page is rejected; a message or a note is not.
    """

    handler: ActionHandler
    said: str
    versioned: bool = True
