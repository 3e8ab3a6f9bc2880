"""Changes the settings of a department: its hours, and how soon it accepts and replies."""

from dataclasses import dataclass, fields

from sqlmodel import col, select

from portal.business_time import Duration, OpeningHours, check_holidays, find_zone
from portal.errors import BadInput, NotFound
from portal.messaging.one_line import one_line
from portal.models import Department
from portal.models.columns import saved_id
from portal.operations.unit_of_work import UnitOfWork

MAX_NAME_LENGTH = 120
CLEARING_VALUES = ("none", "off")
"""What takes away holidays, or the need to accept."""


@dataclass(frozen=True)
class DepartmentChange:
    """The new settings, as a person writes them; None for what stays.

    ``hours`` "always" never closes; ``holidays`` and ``accept_within`` "none" do without.
    """

    name: str | None = None
    hours: str | None = None
    timezone: str | None = None
    holidays: str | None = None
    accept_within: str | None = None
    reply_within: str | None = None
    lead_after: str | None = None
    manager_after: str | None = None

    @property
    def is_empty(self) -> bool:
        """True when nothing is changed."""
        return all(getattr(self, field.name) is None for field in fields(self))


async def change_department(uow: UnitOfWork, key: str, change: DepartmentChange) -> Department:
    """Apply the new settings from now on; dates that customers were given stay.

    Raises NotFound, or BadInput with a sentence for the first mistake; then nothing has changed.
    """
    query = select(Department).where(col(Department.key) == key).with_for_update()
    department = (await uow.session.exec(query)).one_or_none()
    if department is None:
        known = (await uow.session.exec(select(Department.key).order_by(Department.key))).all()
        raise NotFound(
            f"There is no department {key!r}. There is "
            f"{', '.join(known) or 'none yet: load a workflow first'}."
        )
    for name, value in _checked(change).items():
        setattr(department, name, value)
    try:
        department.calendar.next_open(uow.now)
    except ValueError:
        raise BadInput("With these hours and holidays it would never be open.") from None
    uow.session.add(department)
    uow.changed_departments.add(saved_id(department))
    await uow.session.flush()
    return department


def _checked(change: DepartmentChange) -> dict[str, str | None]:
    """What to set, by column. Raises BadInput."""
    checked: dict[str, str | None] = {}
    for field in fields(change):
        value: str | None = getattr(change, field.name)
        if value is not None:
            try:
                checked[field.name] = _read(field.name, value.strip())
            except ValueError as mistake:
                option = field.name.replace("_", "-")
                raise BadInput(f"--{option}: {mistake}", fields={field.name: "see there"}) from None
    return checked


def _read(name: str, value: str) -> str | None:
    """The value of that column, as it is stored. Raises ValueError with a sentence."""
    is_none = value.lower() in CLEARING_VALUES
    match name:
        case "name":
            value = one_line(value)
            if not 0 < len(value) <= MAX_NAME_LENGTH:
                raise ValueError(f"a name has 1 to {MAX_NAME_LENGTH} letters.")
            return value
        case "hours":
            hours = OpeningHours.parse(value)
            if len(hours.text) > 400:
                raise ValueError("at most 400 letters are kept.")
            return "" if hours.is_always_open else hours.text
        case "timezone":
            return find_zone(value).key
        case "holidays":
            if not is_none:
                check_holidays(value)
            return "" if is_none else value
        case "accept_within":
            wait = Duration(0, "s") if is_none else Duration.parse(value)
            return str(wait) if wait else None
        case _:
            return str(Duration.parse(value))
