"""`kept demo`: the whole product on sample data, in a folder of its own, without a real provider."""

import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from portal.commands.runner import migrate_database, run_operation
from portal.demo.fake_providers import FakeProviders
from portal.demo.sample_data import SeededRequest, fill
from portal.demo.sample_data.staff import SAMPLE_STAFF
from portal.desk.auth.passwords import hash_password
from portal.errors import Conflict
from portal.operations import Operations
from portal.runtime.child_processes import (
    install_signal_handlers,
    listen,
    local_url,
    web_child,
    worker_child,
)
from portal.runtime.embedded_redis import EmbeddedRedis
from portal.runtime.supervisor import Supervisor
from portal.settings import Settings

BRAND = "Acme"
HOST = "127.0.0.1"
REQUESTS, SEED = 40, 1
MARKER = "this-is-a-demo"
"""A file that marks a demo folder; without it nothing in the folder is ever removed."""
SENT_AFTER, DELIVERED_AFTER = 0.3, 0.8
"""Seconds, like a fast carrier."""


def run_demo(settings: Settings, port: int, folder: Path) -> int:
    """Run the demo until SIGINT or SIGTERM; the exit code.

    Raises Conflict if another demo runs in this folder, or if the folder has other content.
    """
    install_signal_handlers()
    folder = folder.resolve()
    with listen(HOST, port) as listener:
        address = local_url(HOST, listener)
        _claim(folder)
        with (
            EmbeddedRedis(folder) as queue,
            FakeProviders(**_carrier_config(settings, address)) as simulator,
        ):
            _clear(folder)
            environment = _environment(settings, folder, address, queue.url, simulator)
            demo_settings = _settings(environment)
            migrate_database(demo_settings)
            worker = worker_child(environment)
            worker.start()  # it starts up while the sample data is written
            password = secrets.token_urlsafe(12)
            samples = _fill_database(demo_settings, password)
            _print_addresses(address, simulator, samples, password)
            web = web_child("web", listener, environment, "--demo")
            return Supervisor([queue.child, worker, web]).run()


def _claim(folder: Path) -> None:
    """Mark the folder as a demo folder. Raises Conflict if it has other content."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARKER).exists():
        raise Conflict(
            f"{folder} holds something that is not a demo's, and a demo begins by emptying its "
            "folder: choose another with --data-dir."
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).write_text("`kept demo` empties this folder each time it starts.\n")


def _clear(folder: Path) -> None:
    """Empty the folder. The running Redis locks it, so no other demo uses it."""
    for entry in folder.iterdir():
        if entry.name == MARKER or entry.name.startswith("queue."):
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _carrier_config(settings: Settings, address: str) -> dict[str, Any]:
    """The configuration of the fake carrier: it signs for the public URL, and posts to `address`."""
    public = _public_url(settings, address)
    return {
        "sent_after": SENT_AFTER,
        "delivered_after": DELIVERED_AFTER,
        "inbound_url": f"{public}/hooks/twilio/inbound",
        # The product answers STOP and START itself here, so that the phone on the demo page shows it.
        "confirms_stop": False,
        "blocks_stopped": False,
        "webhook_origin": address,
        "mail_hook_url": f"{address}/hooks/email/inbound",
        "mail_hook_token": secrets.token_urlsafe(16),
    }


def _environment(
    settings: Settings, folder: Path, address: str, queue: str, simulator: FakeProviders
) -> dict[str, str]:
    """The environment of web and worker: every provider is a fake one."""
    carrier = simulator.config
    return {
        "KEPT_DATA_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'kept.db'}",
        "REDIS_URL": queue,
        "KEPT_PUBLIC_URL": _public_url(settings, address),
        "KEPT_BRAND": settings.brand if "brand" in settings.model_fields_set else BRAND,
        "KEPT_QUIET_HOURS": "off",
        "TWILIO_ACCOUNT_SID": carrier.account_sid,
        "TWILIO_AUTH_TOKEN": carrier.auth_token,
        "TWILIO_FROM_NUMBER": carrier.from_number,
        "TWILIO_API_URL": simulator.api_url,
        "KEPT_TWILIO_ANSWERS_KEYWORDS": "false",
        "SMTP_URL": simulator.smtp_url,
        "KEPT_MAIL_FROM": f"{BRAND} <hello@acme.example>",
        "KEPT_MAIL_HOOK_TOKEN": carrier.mail_hook_token,
    }


def _public_url(settings: Settings, address: str) -> str:
    return settings.public_url if "public_url" in settings.model_fields_set else address


def _settings(environment: Mapping[str, str]) -> Settings:
    """The settings that web and worker read from it."""
    attributes = {Settings.environment_name(name): name for name in Settings.model_fields}
    return Settings.load(**{attributes[name]: value for name, value in environment.items()})


def _fill_database(settings: Settings, password: str) -> list[SeededRequest]:
    async def live(operations: Operations) -> list[SeededRequest]:
        password_hash = await hash_password(password)
        return await fill(operations, REQUESTS, SEED, password_hash=password_hash)

    return run_operation(settings, live)


def _print_addresses(
    address: str, simulator: FakeProviders, samples: list[SeededRequest], password: str
) -> None:
    width = max(len(person.name) for person in SAMPLE_STAFF)
    people = [
        f"    {person.name:{width}}  {person.email:32}  {_department_names(person.leads + person.helps)}"
        for person in SAMPLE_STAFF
    ]
    pages = [f"    {sample.link}  {sample.name}: {sample.title}" for sample in samples[:4]]
    lines = [
        "",
        f"  See it work   {address}/demo",
        f"  The desk      {address}/desk",
        f"  The mailbox   {simulator.api_url}/mail",
        "",
        "  Customers' pages",
        *pages,
        "",
        f"  Sign in at the desk as any of these; today's password is {password}",
        *people,
        "",
        "  Everything is made up and stays on this machine. Ctrl-C stops it.",
        "",
    ]
    print("\n".join(lines), flush=True)


def _department_names(departments: tuple[str, ...]) -> str:
    return ", ".join(departments) or "every department"
