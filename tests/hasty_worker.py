"""`python tests/hasty_worker.py`: a worker for whom ten seconds are one, and so is a minute's rest.

It is `python -m workers` in all else. What a test waits for by the clock (a call that takes too
long, a claim that has nobody behind it) comes ten times sooner; the order of things stays.
A number of seconds after it puts its clock forward, or back where it is below 0.
"""

import sys
import time

import time_machine

import portal.relay.delivering
import workers.claim
import workers.deliver
import workers.inquire
import workers.reconcile
from portal.messaging.sms import SmsGateway
from workers.__main__ import main

portal.relay.delivering.PAUSE /= 60
workers.claim.UNKNOWN_BLOCKS /= 10
workers.deliver.CLAIM_HOLDS /= 10
workers.inquire.ASK_AGAIN /= 10
workers.reconcile.LOST_AFTER /= 10
workers.reconcile.FIRST_LOOK /= 10
SmsGateway.__init__.__kwdefaults__["timeout"] /= 10  # type: ignore[index]

if __name__ == "__main__":
    if len(sys.argv) > 1:
        time_machine.travel(time.time() + float(sys.argv[1])).start()
    sys.exit(main())
