"""Commands for staff, departments and API keys."""

from pathlib import Path
from typing import Annotated

import typer

from portal.cli.app import command_group, load, print_lines

staff = command_group("staff", "People at the desk.")
department = command_group("department", "Departments: their hours, and how soon they act.")
apikey = command_group("apikey", "Keys for other systems.")


@staff.command("add")
def add_staff(
    email: Annotated[str, typer.Argument(metavar="EMAIL")],
    name: Annotated[str, typer.Option(help="The name that colleagues and customers read.")],
    role: Annotated[str | None, typer.Option(help="agent (the default), manager or admin.")] = None,
    department: Annotated[
        list[str] | None, typer.Option(help="The key of a department; repeat it for several.")
    ] = None,
    lead: Annotated[
        bool, typer.Option("--lead", help="Make the person the lead of these departments.")
    ] = False,
) -> None:
    """Add a person and print a one-time link with which they set a password.

    For somebody who is known already, their password and all their sign-ins end.

    \b
    Example: kept staff add ana@example.com --name "Ana Reyes" --department telesales --lead
    """
    from portal.commands import staff as staff_module

    print_lines(staff_module.add_person(load(None), email, name, role, department or [], lead=lead))


@staff.command("list")
def list_staff() -> None:
    """List the staff with their roles, departments and absences.

    \b
    Example: kept staff list
    """
    from portal.commands import staff as staff_module

    print_lines(staff_module.list_people(load(None)))


@staff.command("absent")
def mark_absent(
    email: Annotated[str, typer.Argument(metavar="EMAIL")],
    from_: Annotated[
        str | None,
        typer.Option("--from", help="The first day of absence, such as 2025-06-03; default: now."),
    ] = None,
    until: Annotated[str | None, typer.Option(help="The day of the return; default: open.")] = None,
    deputy: Annotated[
        str | None, typer.Option(metavar="EMAIL", help="The substitute; default: the lead.")
    ] = None,
) -> None:
    """Mark a person as absent; their work goes to their deputy or to the department's lead.

    \b
    Example: kept staff absent ana@example.com --until 2025-06-03 --deputy tom@example.com
    """
    from portal.commands import staff as staff_module

    print_lines(staff_module.set_absent(load(None), email, from_, until, deputy))


@staff.command("back")
def mark_back(email: Annotated[str, typer.Argument(metavar="EMAIL")]) -> None:
    """Mark a person as returned; work that others took over stays with them.

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
    """Make a person the lead of a department, in place of the current one.

    \b
    Example: kept staff lead ana@example.com telesales
    """
    from portal.commands import staff as staff_module

    print_lines(staff_module.lead(load(None), email, department))


@staff.command("disable")
def disable_staff(email: Annotated[str, typer.Argument(metavar="EMAIL")]) -> None:
    """Disable a person; their work goes to their deputy or department.

    \b
    Example: kept staff disable ana@example.com
    """
    from portal.commands import staff as staff_module

    print_lines(staff_module.disable_person(load(None), email))


@staff.command("photo")
def set_photo(
    email: Annotated[str, typer.Argument(metavar="EMAIL")],
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A JPEG, PNG, WebP or HEIC file.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the photo.")] = False,
) -> None:
    """Give a person a photo, which the customers see whose requests they have.

    \b
    Example: kept staff photo ana@example.com ana.jpg
    """
    from portal.commands import staff as staff_module

    if remove == (file is not None):
        raise typer.BadParameter("Please give a file, or --remove.")
    print_lines(staff_module.photo(load(None), email, file))


@staff.command("sign-ins")
def list_sign_ins(
    email: Annotated[
        str | None, typer.Argument(metavar="[EMAIL]", help="One person; default: everybody.")
    ] = None,
) -> None:
    """List who is signed in, and what happened to accounts: failures, refusals and changes.

    \b
    Example: kept staff sign-ins ana@example.com
    """
    from portal.commands import sign_ins

    print_lines(sign_ins.list_sign_ins(load(None), email))


@department.command("list")
def list_departments() -> None:
    """List the departments, their hours and how soon they act.

    \b
    Example: kept department list
    """
    from portal.commands import departments

    print_lines(departments.list_departments(load(None)))


@department.command("set")
def set_department(
    key: Annotated[str, typer.Argument(metavar="KEY")],
    name: Annotated[
        str | None, typer.Option(help="The name that customers and staff read.")
    ] = None,
    hours: Annotated[
        str | None, typer.Option(help="Such as Mon-Fri 09:00-17:30, or always.")
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="Such as America/New_York.")] = None,
    holidays: Annotated[str | None, typer.Option(help="Such as US or US-CA, or none.")] = None,
    accept_within: Annotated[str | None, typer.Option(help="Such as 4bh, or none.")] = None,
    reply_within: Annotated[str | None, typer.Option(help="Such as 4bh.")] = None,
    lead_after: Annotated[
        str | None, typer.Option(help="When a dropped ball goes to the lead, such as 4bh.")
    ] = None,
    manager_after: Annotated[
        str | None, typer.Option(help="When it goes to a manager, such as 1bd.")
    ] = None,
) -> None:
    """Change a department; dates that customers were given stay.

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
def create_api_key(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="read, open, act or act_as_staff; repeat it for several. Default: all."),
    ] = None,
    expires: Annotated[
        str, typer.Option(help='A day (2030-12-31), days (90d) or "never". Default: a year.')
    ] = "",
) -> None:
    """Create a key for another system and print it, once only.

    \b
    Example: kept apikey create billing --scope read --expires 90d
    """
    from portal.commands import api_keys

    print_lines(api_keys.create_key(load(None), name, scope or (), expires))


@apikey.command("list")
def list_api_keys() -> None:
    """List the keys by name, and since when each is valid or revoked.

    \b
    Example: kept apikey list
    """
    from portal.commands import api_keys

    print_lines(api_keys.list_keys(load(None)))


@apikey.command("revoke")
def revoke_api_key(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Revoke a key.

    \b
    Example: kept apikey revoke billing
    """
    from portal.commands import api_keys

    print_lines(api_keys.revoke_key(load(None), name))
