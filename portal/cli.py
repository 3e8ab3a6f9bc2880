"""The `kept` command: every way to run it and to look after it."""

import socket
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from portal.embedded_queue import EmbeddedQueue
from portal.errors import PortalError
from portal.processes import Supervisor, say
from portal.serving import (
    address_of,
    end_when_told,
    have_migrated,
    listen,
    serve_web,
    web_child,
    worker_child,
)
from portal.settings import Settings, SettingsError


def _group(purpose: str) -> typer.Typer:
    return typer.Typer(
        help=purpose,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )


app = _group("Kept: a live timeline for every customer request, and nobody drops the ball.")
workflow = _group("Kinds of request and their stages.")
staff = _group("People at the desk.")
apikey = _group("Keys for other systems.")
app.add_typer(workflow, name="workflow")
app.add_typer(staff, name="staff")
app.add_typer(apikey, name="apikey")
department = _group("Departments: when they work, and how soon they move.")
app.add_typer(department, name="department")
replies = _group("What customers reply, and what it means.")
app.add_typer(replies, name="replies")

Port = Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")]
Host = Annotated[str, typer.Option(help="The address to listen at.")]
DataDir = Annotated[Path | None, typer.Option(help="The folder to keep everything in.")]
Strict = Annotated[bool, typer.Option("--strict", help="Take warnings for mistakes.")]
Files = Annotated[list[str], typer.Argument(metavar="FILE...")]


def main() -> None:
    """Run the command line; an expected refusal is one sentence on stderr and exit code 1."""
    try:
        app()
    except (PortalError, SettingsError) as refusal:
        say(str(refusal))
        sys.exit(1)


@app.command()
def demo(port: Port = 8000, data_dir: DataDir = None) -> None:
    """Show Kept on sample data, with a simulated carrier and mailbox.

    Refuses to start beside a real provider's settings.

    \b
    Example: kept demo --port 9000
    """
    settings = _load(None)
    if settings.sends_texts or settings.sends_mail:
        raise PortalError(
            "The demo makes up people and texts, so it does not run beside a real provider: "
            "unset every TWILIO_ setting and SMTP_URL first."
        )
    from portal.commands.demo import show

    raise typer.Exit(show(settings, port, data_dir or settings.data_dir / "demo"))


@app.command()
def serve(host: Host = "127.0.0.1", port: Port = 8000, data_dir: DataDir = None) -> None:
    """Run everything on one machine: database, queue, worker and web.

    \b
    Example: kept serve --host 0.0.0.0 --data-dir /var/lib/kept
    """
    end_when_told()
    settings = _load(data_dir)
    with listen(host, port) as listener:
        address = address_of(host, listener)
        told = {"KEPT_DATA_DIR": str(settings.data_dir)}
        if "public_url" not in settings.model_fields_set:
            told["KEPT_PUBLIC_URL"] = address
        queue = EmbeddedQueue(settings.data_dir)
        children = []
        try:
            if settings.needs_embedded_queue:
                told["REDIS_URL"] = queue.start()
                children.append(queue.child)
            if not settings.is_single_machine:
                have_migrated(told)
            children += [worker_child(told), web_child("web", listener, told)]
            say(f"serving at {address}, kept in {settings.data_dir}; Ctrl-C stops it.")
            code = Supervisor(children).run()
        finally:
            queue.stop()
    raise typer.Exit(code)


@app.command()
def web(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    processes: Annotated[int, typer.Option(min=1, max=64, help="How many share the port.")] = 1,
    fd: Annotated[int | None, typer.Option(hidden=True)] = None,
    demo: Annotated[bool, typer.Option("--demo", hidden=True)] = False,
) -> None:
    """Serve pages, webhooks and the API; `kept worker` sends.

    \b
    Example: kept web --host 0.0.0.0 --port 8000 --processes 4
    """
    settings = _load(None)
    if fd is not None:
        serve_web(socket.socket(fileno=fd), settings, demo=demo)
        return
    with listen(host, port) as listener:
        say(f"serving at {address_of(host, listener)}; Ctrl-C stops it.")
        if processes == 1:
            serve_web(listener, settings)
            return
        children = [web_child(f"web {number}", listener, {}) for number in range(1, processes + 1)]
        raise typer.Exit(Supervisor(children).run())


@app.command()
def worker() -> None:
    """Send what is due and watch the promises; run as many as you need.

    \b
    Example: REDIS_URL=redis://queue:6379 kept worker
    """
    _load(None)
    raise typer.Exit(Supervisor([worker_child({})]).run())


@app.command()
def migrate() -> None:
    """Bring the database to the newest revision.

    \b
    Example: DATABASE_URL=postgresql://kept@db/kept kept migrate
    """
    from portal.commands.ground import bring_up_to_date

    _print(bring_up_to_date(_load(None)))


@app.command("open")
def open_request(
    workflow: Annotated[str, typer.Option(help="The key of a loaded workflow.")],
    name: Annotated[str, typer.Option(help="The customer's name.")],
    phone: Annotated[str | None, typer.Option(help="With its country code.")] = None,
    email: Annotated[str | None, typer.Option(help="Where to write without a phone.")] = None,
    title: Annotated[str, typer.Option(help="What it is about, as the customer reads it.")] = "",
    external_id: Annotated[
        str | None, typer.Option(help="Your own name for it: the same one is never opened twice.")
    ] = None,
) -> None:
    """Open a request: prints its reference and the customer's link, and texts them.

    \b
    Example: kept open --workflow card-application --name "Martin Keller" --phone +14155550132
    """
    from portal.commands.opening import open_from_terminal
    from portal.relay import CustomerDetails, Order

    customer = CustomerDetails(name, phone, email)
    order = Order(workflow, customer, title=title, external_id=external_id)
    _print(open_from_terminal(_load(None), order))


@app.command()
def seed(
    requests: Annotated[int, typer.Option(min=1, help="How many requests.")] = 40,
    seed: Annotated[int, typer.Option(help="The same number makes the same data.")] = 1,
) -> None:
    """Fill the database with lifelike requests, customers and staff.

    \b
    Example: kept seed --requests 200 --seed 7
    """
    from portal.commands.seeding import seed as seed_with

    _print(seed_with(_load(None), requests, seed))


@app.command()
def simulate(
    requests: Annotated[int, typer.Option(min=1, help="How many lives.")] = 1000,
    seed: Annotated[int, typer.Option(help="The same number makes the same lives.")] = 1,
    faults: Annotated[
        str, typer.Option(help="all, none, or some of them: slow,absent,killed (docs/simulate.md).")
    ] = "all",
    database_url: Annotated[
        str | None, typer.Option(help="An empty database, instead of one that is then gone.")
    ] = None,
    alone: Annotated[
        bool, typer.Option("--alone", help="Not also with Kept silent, to compare.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="All figures, for a machine.")] = False,
) -> None:
    """Play whole lives against this very code, in days that pass in seconds; 1 if a ball is lost.

    Nothing is sent and no data of yours is read: carrier, mailbox, people and time are made up.

    \b
    Example: kept simulate --requests 200 --seed 7 --faults slow,forgetful,carrier
    """
    from portal.commands.simulating import simulate as play

    raise typer.Exit(
        play(requests, seed, faults, database_url=database_url, is_alone=alone, is_json=as_json)
    )


@app.command()
def doctor() -> None:
    """Check settings, database, queue, providers and the public address.

    \b
    Example: kept doctor
    """
    from portal.doctor import examine

    findings = list(examine(_load(None)))
    for finding in findings:
        print(("ok   " if finding.is_well else "WRONG"), finding.words)
    if not all(finding.is_well for finding in findings):
        raise typer.Exit(1)


@workflow.command("check")
def check_workflows(files: Files, strict: Strict = False) -> None:
    """Read workflow files and show every mistake with its line and a remedy.

    Texts that cost more than one segment are warnings, told and let pass.

    \b
    Example: kept workflow check --strict my-workflow.toml
    """
    from portal.commands import workflows

    _print(workflows.check_workflows(_load(None), files, is_strict=strict))


@workflow.command("load")
def load_workflows(files: Files, strict: Strict = False) -> None:
    """Load workflow files, all of them or none; a changed one becomes a new version.

    The name of a workflow that comes with Kept will do too.

    \b
    Example: kept workflow load card-application my-workflow.toml
    """
    from portal.commands import workflows

    _print(workflows.load_workflows(_load(None), files, is_strict=strict))


@workflow.command("list")
def list_workflows() -> None:
    """List the workflows, their versions and their stages.

    \b
    Example: kept workflow list
    """
    from portal.commands import workflows

    _print(workflows.list_workflows(_load(None)))


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
    from portal.commands import people

    _print(people.add(_load(None), email, name, role, department or [], lead=lead))


@staff.command("list")
def list_staff() -> None:
    """List the people, their roles and departments, and who is away.

    \b
    Example: kept staff list
    """
    from portal.commands import people

    _print(people.list_people(_load(None)))


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
    from portal.commands import people

    _print(people.absent(_load(None), email, from_, until, deputy))


@staff.command("back")
def mark_back(email: Annotated[str, typer.Argument(metavar="EMAIL")]) -> None:
    """Mark a person as here again; what others took over stays with them.

    \b
    Example: kept staff back ana@example.com
    """
    from portal.commands import people

    _print(people.back(_load(None), email))


@staff.command("lead")
def name_lead(
    email: Annotated[str, typer.Argument(metavar="EMAIL")],
    department: Annotated[str, typer.Argument(metavar="DEPARTMENT")],
) -> None:
    """Let a person lead a department, in place of whoever leads it now.

    \b
    Example: kept staff lead ana@example.com telesales
    """
    from portal.commands import people

    _print(people.lead(_load(None), email, department))


@staff.command("disable")
def disable_staff(email: Annotated[str, typer.Argument(metavar="EMAIL")]) -> None:
    """Sign a person out for good; what they have goes to their deputy or department.

    \b
    Example: kept staff disable ana@example.com
    """
    from portal.commands import people

    _print(people.disable(_load(None), email))


@department.command("list")
def list_departments() -> None:
    """List the departments, their hours and how soon they move.

    \b
    Example: kept department list
    """
    from portal.commands import departments

    _print(departments.list_departments(_load(None)))


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
    from portal.relay.departments import DepartmentChange

    change = DepartmentChange(
        name, hours, timezone, holidays, accept_within, reply_within, lead_after, manager_after
    )
    _print(departments.change(_load(None), key, change))


@apikey.command("create")
def create_api_key(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Make a key for another system and print it, this once.

    \b
    Example: kept apikey create billing
    """
    from portal.commands import keys

    _print(keys.create(_load(None), name))


@apikey.command("list")
def list_api_keys() -> None:
    """List the keys by name, and since when each is good or revoked.

    \b
    Example: kept apikey list
    """
    from portal.commands import keys

    _print(keys.list_keys(_load(None)))


@apikey.command("revoke")
def revoke_api_key(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Refuse a key from now on.

    \b
    Example: kept apikey revoke billing
    """
    from portal.commands import keys

    _print(keys.revoke(_load(None), name))


@replies.command("export")
def export_replies() -> None:
    """Print as CSV the replies that people at the desk labelled, without names and numbers.

    They are for the corpus by which replies are understood.

    \b
    Example: kept replies export > labelled.csv
    """
    from portal.commands import replies as labelled

    _print(labelled.export(_load(None)))


def _load(data_dir: Path | None) -> Settings:
    return Settings.load(**({"data_dir": data_dir} if data_dir else {}))


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)


if __name__ == "__main__":
    main()
