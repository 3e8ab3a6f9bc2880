"""Who works with Kept: people, their departments, other systems by key."""

from typing import Annotated

import typer

from portal.cli.app import command_group, load, print_lines

staff = command_group("staff", "People at the desk.")
department = command_group("department", "Departments: when they work, and how soon they move.")
apikey = command_group("apikey", "Keys for other systems.")


@staff.command("add")
def add_staff(
    email: Annotated[str, typer.Argument(metavar="EMAIL")],
    name: Annotated[str, typer.Option(help="The name that colleagues and customers read.")],
    role: Annotated[str | None, typer.Option(help="agent (at first), manager or admin.")] = None,
    department: Annotated[
        list[str] | None, typer.Option(help="A department's key; give it once for each.")
    ] = None,
    lead: Annotated[bool, typer.Option("--lead", help="They lead these departments.")] = False,
) -> None:
    """Add a person and print a one-time link with which they set a password.

    \b
    Example: kept staff add ana@example.com --name "Ana Reyes" --department telesales --lead
    """
    from portal.commands import staff as staff_module

    print_lines(staff_module.add_person(load(None), email, name, role, department or [], lead=lead))


@staff.command("list")
def list_staff() -> None:
    """List the people, their roles and departments, and who is away.

    \b
    Example: kept staff list
    """
    from portal.commands import staff as staff_module

    print_lines(staff_module.list_people(load(None)))


@staff.command("absent")
def mark_absent(
    email: Annotated[str, typer.Argument(metavar="EMAIL")],
    from_: Annotated[
        str | None, typer.Option("--from", help="The first day away, such as 2025-06-03; now.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="The day they are back; until they say so.")
    ] = None,
    deputy: Annotated[
        str | None, typer.Option(metavar="EMAIL", help="Who stands in; else the lead.")
    ] = None,
) -> None:
    """Mark a person as away; what they have goes to their deputy or their department's lead.

    \b
    Example: kept staff absent ana@example.com --until 2025-06-03 --deputy tom@example.com
    """
    from portal.commands import staff as staff_module

    print_lines(staff_module.set_absent(load(None), email, from_, until, deputy))


@staff.command("back")
def mark_back(email: Annotated[str, typer.Argument(metavar="EMAIL")]) -> None:
    """Mark a person as here again; what others took over stays with them.

    \b
    Example: kept staff back ana@example.com
    """
    from portal.commands import staff as staff_module

    print_lines(staff_module.set_back(load(None), email))


@staff.command("lead")
def name_lead(
    email: Annotated[str, typer.Argument(metavar="EMAIL")],
    department: Annotated[str, typer.Argument(metavar="DEPARTMENT")],
) -> None:
    """Let a person lead a department, in place of whoever leads it now.

    \b
    Example: kept staff lead ana@example.com telesales
    """
    from portal.commands import staff as staff_module

    print_lines(staff_module.lead(load(None), email, department))


@staff.command("disable")
def disable_staff(email: Annotated[str, typer.Argument(metavar="EMAIL")]) -> None:
    """Sign a person out for good; what they have goes to their deputy or department.

    \b
    Example: kept staff disable ana@example.com
    """
    from portal.commands import staff as staff_module

    print_lines(staff_module.disable_person(load(None), email))


@department.command("list")
def list_departments() -> None:
    """List the departments, their hours and how soon they move.

    \b
    Example: kept department list
    """
    from portal.commands import departments

    print_lines(departments.list_departments(load(None)))


@department.command("set")
def set_department(
    key: Annotated[str, typer.Argument(metavar="KEY")],
    name: Annotated[str | None, typer.Option(help="What customers and staff read.")] = None,
    hours: Annotated[str | None, typer.Option(help="Such as Mon-Fri 09:00-17:30; always.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Such as America/New_York.")] = None,
    holidays: Annotated[str | None, typer.Option(help="Such as US or US-CA; none.")] = None,
    accept_within: Annotated[str | None, typer.Option(help="Such as 4bh; none.")] = None,
    reply_within: Annotated[str | None, typer.Option(help="Such as 4bh.")] = None,
    lead_after: Annotated[str | None, typer.Option(help="What slips goes to the lead.")] = None,
    manager_after: Annotated[str | None, typer.Option(help="Then it goes to a manager.")] = None,
) -> None:
    """Change how a department works, from now on; dates that customers were told stay.

    \b
    Example: kept department set telesales --hours "Mon-Fri 09:00-12:00, 13:00-17:30"
    """
    from portal.commands import departments
    from portal.operations.departments import DepartmentChange

    change = DepartmentChange(
        name, hours, timezone, holidays, accept_within, reply_within, lead_after, manager_after
    )
    print_lines(departments.change(load(None), key, change))


@apikey.command("create")
def create_api_key(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Make a key for another system and print it, this once.

    \b
    Example: kept apikey create billing
    """
    from portal.commands import api_keys

    print_lines(api_keys.create_key(load(None), name))


@apikey.command("list")
def list_api_keys() -> None:
    """List the keys by name, and since when each is good or revoked.

    \b
    Example: kept apikey list
    """
    from portal.commands import api_keys

    print_lines(api_keys.list_keys(load(None)))


@apikey.command("revoke")
def revoke_api_key(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Refuse a key from now on.

    \b
    Example: kept apikey revoke billing
    """
    from portal.commands import api_keys

    print_lines(api_keys.revoke_key(load(None), name))
