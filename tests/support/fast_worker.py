"""`python -m tests.support.fast_worker`: a worker whose intervals are a quarter as long.

It is `python -m workers` in all else. What a test waits for by the clock (a call that takes too
long, a claim that has nobody behind it) comes sooner; the order of things stays. Much sooner would
not do: on a busy machine it could not keep its own limits.
A number of seconds after it puts its clock forward, or back where it is below 0.
"""

import sys
import time

import time_machine

import portal.operations.delivery.outcomes
import portal.operations.delivery.provider_outage
import workers.delivery.claim
import workers.delivery.deliver
import workers.poll_receipts
import workers.reconcile
import workers.worker
from portal.messaging.sms.twilio_client import TwilioClient
from workers.__main__ import main

HASTE = 4
portal.operations.delivery.outcomes.SENDER_PAUSE /= 60
portal.operations.delivery.provider_outage.SENDER_PAUSE /= 60
portal.operations.delivery.provider_outage.PROBE_INTERVAL /= 15
workers.delivery.claim.PROBE_INTERVAL /= 15
workers.delivery.claim.UNKNOWN_HOLD /= HASTE
workers.delivery.deliver.CLAIM_SECONDS /= HASTE
workers.poll_receipts.MIN_POLL_INTERVAL /= HASTE
workers.reconcile.CLAIM_LOST_AFTER /= HASTE
workers.reconcile.FIRST_CHECK_AFTER /= HASTE
workers.worker.SHUTDOWN_SECONDS /= HASTE
TwilioClient.__init__.__kwdefaults__["timeout"] /= HASTE  # type: ignore[index]

if __name__ == "__main__":
    if len(sys.argv) > 1:
        time_machine.travel(time.time() + float(sys.argv[1])).start()
    sys.exit(main())
