"""Commands that run Kept: demo, serve, web, worker, migrate, doctor."""

import json
import os
import socket
from typing import TYPE_CHECKING, Annotated

import typer

from portal.cli.app import DataDir, Host, Port, Strict, app, load, print_lines
from portal.errors import PortalError
from portal.runtime.child_processes import (
    install_signal_handlers,
    listen,
    local_url,
    migrate_in_subprocess,
    web_child,
    worker_child,
)
from portal.runtime.supervisor import Supervisor, print_status

if TYPE_CHECKING:
    from portal.settings import Settings


@app.command()
def demo(port: Port = 8000, data_dir: DataDir = None) -> None:
    """Run Kept on sample data, with a fake carrier and mailbox.

    Does not start while a real provider is configured.

    \b
    Example: kept demo --port 9000
    """
    settings = load(None)
    if settings.sends_texts or settings.sends_mail:
        raise PortalError(
            "The demo makes up people and texts, so it does not run beside a real provider: "
            "unset every TWILIO_ setting and SMTP_URL first."
        )
    from portal.commands.demo import run_demo

    raise typer.Exit(run_demo(settings, port, data_dir or settings.data_dir / "demo"))


@app.command()
def serve(host: Host = "127.0.0.1", port: Port = 8000, data_dir: DataDir = None) -> None:
    """Run everything on one machine: database, queue, worker and web.

    \b
    Example: kept serve --host 0.0.0.0 --data-dir /var/lib/kept
    """
    install_signal_handlers()
    from portal.runtime.data_folder import check_sqlite_database, locked_data_folder
    from portal.runtime.embedded_redis import EmbeddedRedis

    settings = load(data_dir)
    with listen(host, port) as listener, locked_data_folder(settings.data_dir):
        address = local_url(host, listener)
        environment = {"KEPT_DATA_DIR": str(settings.data_dir)}
        if "public_url" not in settings.model_fields_set:
            environment["KEPT_PUBLIC_URL"] = address
        queue = EmbeddedRedis(settings.data_dir)
        children = []
        try:
            if settings.is_single_machine:
                check_sqlite_database(settings)
            else:
                migrate_in_subprocess(environment)
            if settings.needs_embedded_redis:
                environment["REDIS_URL"] = queue.start()
                children.append(queue.child)
            children += [worker_child(environment), web_child("web", listener, environment)]
            print_status(f"serving at {address}, kept in {settings.data_dir}; Ctrl-C stops it.")
            code = Supervisor(children).run()
        finally:
            queue.stop()
    raise typer.Exit(code)


@app.command()
def web(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    processes: Annotated[
        int, typer.Option(min=1, max=64, help="The number of processes that share the port.")
    ] = 1,
    fd: Annotated[int | None, typer.Option(hidden=True)] = None,
    demo: Annotated[bool, typer.Option("--demo", hidden=True)] = False,
) -> None:
    """Serve pages, webhooks and the API; `kept worker` sends.

    \b
    Example: kept web --host 0.0.0.0 --port 8000 --processes 4
    """
    settings = load(None)
    if fd is not None:
        _serve_here(socket.socket(fileno=fd), settings, demo=demo)
        return
    with listen(host, port) as listener:
        serving = f"serving at {local_url(host, listener)}; Ctrl-C stops it."
        if processes == 1:
            _serve_here(listener, settings, serving)
            return
        _check_before_starting(settings)
        print_status(serving)
        children = [web_child(f"web {number}", listener, {}) for number in range(1, processes + 1)]
        raise typer.Exit(Supervisor(children).run())


@app.command()
def worker() -> None:
    """Send messages and detect dropped balls; run as many workers as you need.

    \b
    Example: REDIS_URL=redis://queue:6379 kept worker
    """
    _check_before_starting(load(None))
    raise typer.Exit(Supervisor([worker_child({})]).run())


@app.command()
def migrate(
    check: Annotated[
        bool,
        typer.Option("--check", help="Change nothing; fail unless it is at the newest revision."),
    ] = False,
) -> None:
    """Bring the database to the newest revision.

    \b
    Example: DATABASE_URL=postgresql://kept@db/kept kept migrate
    """
    from portal.commands.runner import check_database, migrate_database
    from portal.runtime.database_start import DatabaseUnavailable

    settings = load(None)
    try:
        print_lines(check_database(settings) if check else migrate_database(settings))
    except DatabaseUnavailable as refusal:
        print_status(str(refusal))
        raise typer.Exit(os.EX_TEMPFAIL if check else 1) from None


@app.command()
def doctor(
    strict: Strict = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Check settings, database, files, queue, provider, mail server and the public address.

    Sends nothing, and takes 15 seconds at most if a server does not answer.

    \b
    Example: kept doctor --strict
    """
    from portal.runtime.check_result import Level
    from portal.runtime.doctor import run_checks

    marks = {Level.OK: "ok   ", Level.WARNING: "warn ", Level.WRONG: "WRONG"}
    failing = {Level.WRONG, Level.WARNING} if strict else {Level.WRONG}
    results = list(run_checks(load(None)))
    if as_json:
        rows = [{"level": result.level.value, "text": result.words} for result in results]
        print(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        print_lines(f"{marks[result.level]} {result.words}" for result in results)
    if any(result.level in failing for result in results):
        raise typer.Exit(1)


def _serve_here(
    listener: socket.socket, settings: "Settings", serving: str = "", *, demo: bool = False
) -> None:
    from portal.runtime.database_start import prepare_database
    from portal.runtime.web_server import serve_web

    prepare_database(settings)
    if serving:
        print_status(serving)
    serve_web(listener, settings, demo=demo)


def _check_before_starting(settings: "Settings") -> None:
    """Refuse a database that no child could work on; children would be restarted in vain."""
    from portal.runtime.data_folder import check_sqlite_database

    if settings.is_single_machine:
        check_sqlite_database(settings)
    else:
        migrate_in_subprocess({}, "--check")
