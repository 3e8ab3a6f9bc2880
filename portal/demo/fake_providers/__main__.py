"""The simulator as a process of its own: `python -m portal.demo.fake_providers --port 8010`.

Prints one line of JSON on standard output when it answers, and stops at SIGINT or SIGTERM.
"""

import argparse
import json
import os
import signal
import sys
from threading import Event

from portal.demo.fake_providers.config import SIMULATED_SID, CarrierConfig, UnsafeCredentials
from portal.demo.fake_providers.server import FakeProviders

EXAMPLE = (
    "Example: python -m portal.demo.fake_providers --port 8010 --smtp-port 8011 "
    "--inbound-url http://127.0.0.1:8000/hooks/twilio/inbound. "
    "Each option may also be given in the environment, as in KEPT_SIMULATOR_SMTP_PORT."
)


def main() -> int:
    """Run until a signal; the exit code is 1 where it could not start."""
    options = vars(_parser().parse_args())
    stop = Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda *_: stop.set())
    try:
        with FakeProviders(**options) as simulator:
            ready = {
                "api_url": simulator.api_url,
                "smtp_url": simulator.smtp_url,
                "mail_url": f"{simulator.api_url}/mail",
                "account_sid": simulator.config.account_sid,
                "auth_token": simulator.config.auth_token,
                "from_number": simulator.config.from_number,
            }
            sys.stdout.write(f"{json.dumps(ready)}\n")
            sys.stdout.flush()
            stop.wait()
    except (UnsafeCredentials, OSError) as error_response:
        sys.stderr.write(f"The simulator did not start: {error_response}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    usual = CarrierConfig()
    parser = argparse.ArgumentParser(
        prog="python -m portal.demo.fake_providers",
        description="A carrier and a mailbox on loopback, for demonstrations and tests.",
        epilog=EXAMPLE,
    )

    def option(name: str, default: object, words: str, kind: type = str) -> None:
        variable = f"KEPT_SIMULATOR_{name.upper()}"
        flag = f"--{name.replace('_', '-')}"
        parser.add_argument(
            flag, type=kind, default=os.environ.get(variable, default), help=f"{words} [{variable}]"
        )

    option("host", "127.0.0.1", "a loopback address")
    option("port", 0, "where the API and the mailbox's pages answer; 0: any free port", int)
    option("smtp_port", 0, "where mail is taken in; 0: any free port", int)
    option("account_sid", None, f"usually {SIMULATED_SID}")
    option("auth_token", None, "signs webhooks and opens the API")
    option("from_number", usual.from_number, "the account's own number")
    option("messaging_service_sid", None, "accepted in place of a sender")
    option("inbound_url", None, "where texts from customers are announced")
    option("webhook_origin", None, "post webhooks here, signed for their own host")
    option("sent_after", 0.3, "seconds from queued to sent", float)
    option("delivered_after", 0.8, "seconds from queued to delivered", float)
    option("answer_delay", 0.0, "seconds that each API call takes", float)
    option("mail_hook_url", None, "where replies from the mailbox are posted")
    option("mail_hook_token", "", "the bearer token that goes with them")
    return parser


if __name__ == "__main__":
    sys.exit(main())
