"""Running Kept: the demo, one machine, many machines, the database, the check-up."""

import socket
from typing import Annotated

import typer

from portal.cli.app import DataDir, Host, Port, app, load, show
from portal.errors import PortalError
from portal.runtime.embedded_redis import EmbeddedQueue
from portal.runtime.supervisor import Supervisor, say
from portal.runtime.web_server import (
    address_of,
    end_when_told,
    have_migrated,
    listen,
    serve_web,
    web_child,
    worker_child,
)


@app.command()
def demo(port: Port = 8000, data_dir: DataDir = None) -> None:
    """Show Kept on sample data, with a simulated carrier and mailbox.

    Refuses to start beside a real provider's settings.

    \b
    Example: kept demo --port 9000
    """
    settings = load(None)
    if settings.sends_texts or settings.sends_mail:
        raise PortalError(
            "The demo makes up people and texts, so it does not run beside a real provider: "
            "unset every TWILIO_ setting and SMTP_URL first."
        )
    from portal.commands.demo import show as show_it

    raise typer.Exit(show_it(settings, port, data_dir or settings.data_dir / "demo"))


@app.command()
def serve(host: Host = "127.0.0.1", port: Port = 8000, data_dir: DataDir = None) -> None:
    """Run everything on one machine: database, queue, worker and web.

    \b
    Example: kept serve --host 0.0.0.0 --data-dir /var/lib/kept
    """
    end_when_told()
    settings = load(data_dir)
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
    settings = load(None)
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
    load(None)
    raise typer.Exit(Supervisor([worker_child({})]).run())


@app.command()
def migrate() -> None:
    """Bring the database to the newest revision.

    \b
    Example: DATABASE_URL=postgresql://kept@db/kept kept migrate
    """
    from portal.commands.runner import bring_up_to_date

    show(bring_up_to_date(load(None)))


@app.command()
def doctor() -> None:
    """Check settings, database, queue, providers and the public address.

    \b
    Example: kept doctor
    """
    from portal.runtime.doctor import examine

    findings = list(examine(load(None)))
    for finding in findings:
        print(("ok   " if finding.is_well else "WRONG"), finding.words)
    if not all(finding.is_well for finding in findings):
        raise typer.Exit(1)
