"""`python -m workers`: one worker process, until SIGINT or SIGTERM."""

import asyncio
import logging
import os
import signal
import sys

import uvloop

from portal.errors import PortalError
from portal.runtime.database_start import prepare_database
from portal.runtime.log_config import configure_logging
from portal.runtime.readiness import report_ready, take_ready_pipe
from portal.runtime.supervisor import print_status
from portal.settings import Settings, SettingsError
from workers.worker import Worker


async def work(settings: Settings, pipe: int | None) -> None:
    """Run all rounds until a signal; messages that are being sent are finished first."""
    stop_event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, stop_event.set)
    async with Worker(settings) as worker:
        worker.sweep.on_first_beat = lambda: report_ready(pipe)
        await worker.until(stop_event)
    if worker.is_stuck:
        # As after a kill: the database has what was recorded, and other workers find the rest.
        logging.shutdown()
        os._exit(0)


def main() -> int:
    """Run the worker; an invalid setting or an unusable database is one sentence on stderr and exit code 1."""
    configure_logging()
    pipe = take_ready_pipe()
    try:
        settings = Settings.load()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    configure_logging(settings.log_format, "worker")
    try:
        prepare_database(settings)
    except PortalError as refusal:
        print_status(str(refusal))
        return 1
    uvloop.run(work(settings, pipe))
    return 0


if __name__ == "__main__":
    sys.exit(main())
