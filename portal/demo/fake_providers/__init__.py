"""A carrier and a mailbox on loopback, for the demonstration and for tests.

The carrier speaks Twilio's Messages API and signs its webhooks as Twilio does; the mailbox
speaks SMTP and shows what it was given. Nothing here imports the rest of the
portal: a URL is the only connection. See docs/fake-providers.md.
"""

from portal.demo.fake_providers.app import create_carrier
from portal.demo.fake_providers.config import SIMULATED_SID, SIMULATED_TOKEN, CarrierConfig
from portal.demo.fake_providers.fake_carrier import Carrier
from portal.demo.fake_providers.faults import Fault, FaultKind, FaultRules
from portal.demo.fake_providers.mailbox import Mail, Mailbox
from portal.demo.fake_providers.server import FakeProviders, PendingResult
from portal.demo.fake_providers.sms import Text

__all__ = [
    "SIMULATED_SID",
    "SIMULATED_TOKEN",
    "Carrier",
    "CarrierConfig",
    "FakeProviders",
    "Fault",
    "FaultKind",
    "FaultRules",
    "Mail",
    "Mailbox",
    "PendingResult",
    "Text",
    "create_carrier",
]
