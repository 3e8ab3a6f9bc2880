"""Each verb that spans nouns: desk, pages, API, hooks, workers and commands all call these.

A verb takes a ``Turn`` (one transaction) and leaves the nouns changed, the events recorded and
the messages owed; when the turn ends it commits, and only then wakes workers and live pages.
"""

from portal.relay.answering import answer, ask_what_is_due, end_holds_that_are_over
from portal.relay.dropping import dismiss_ball, look_at, look_for_ownerless
from portal.relay.escalating import escalate, mail_people
from portal.relay.handing_over import accept, must_be_theirs, recall, refuse
from portal.relay.knowing import forget_device, send_code, take_code
from portal.relay.moving import (
    advance,
    assign,
    cancel,
    hold,
    reopen,
    replace_link,
    resume,
    revoke_link,
    send_back,
)
from portal.relay.noting import note_minds
from portal.relay.opening import CustomerDetails, Order, open_request
from portal.relay.people import add_staff, disable_staff, mark_absent, mark_back, name_lead
from portal.relay.promising import (
    keep_promise,
    make_promise,
    move_promise,
    withdraw_promise,
)
from portal.relay.publishing import load_workflow
from portal.relay.sending.bouncing import record_bounce
from portal.relay.sending.mending import (
    lock_lost,
    mark_as_told,
    resend_message,
    retry_message,
)
from portal.relay.sending.receipts import Receipt, Receipts
from portal.relay.standing_in import take_over, take_over_everything, take_over_strays
from portal.relay.talking.attaching import Texted
from portal.relay.talking.consenting import Choice, record_spoken_wish
from portal.relay.talking.conversing import log_contact, set_preferences, write_to_customer
from portal.relay.talking.hearing import receive_text, receive_web_message
from portal.relay.talking.heeding import CarrierWord
from portal.relay.talking.mailing import receive_email, set_aside
from portal.relay.talking.relabelling import relabel
from portal.relay.telling import tell_delay, tell_in_time
from portal.relay.third_parties import hear_from_third_party
from portal.relay.turn import Relay, Turn

__all__ = [
    "CarrierWord",
    "Choice",
    "CustomerDetails",
    "Order",
    "Receipt",
    "Receipts",
    "Relay",
    "Texted",
    "Turn",
    "accept",
    "add_staff",
    "advance",
    "answer",
    "ask_what_is_due",
    "assign",
    "cancel",
    "disable_staff",
    "dismiss_ball",
    "end_holds_that_are_over",
    "escalate",
    "forget_device",
    "hear_from_third_party",
    "hold",
    "keep_promise",
    "load_workflow",
    "lock_lost",
    "log_contact",
    "look_at",
    "look_for_ownerless",
    "mail_people",
    "make_promise",
    "mark_absent",
    "mark_as_told",
    "mark_back",
    "move_promise",
    "must_be_theirs",
    "name_lead",
    "note_minds",
    "open_request",
    "recall",
    "receive_email",
    "receive_text",
    "receive_web_message",
    "record_bounce",
    "record_spoken_wish",
    "refuse",
    "relabel",
    "reopen",
    "replace_link",
    "resend_message",
    "resume",
    "retry_message",
    "revoke_link",
    "send_back",
    "send_code",
    "set_aside",
    "set_preferences",
    "take_code",
    "take_over",
    "take_over_everything",
    "take_over_strays",
    "tell_delay",
    "tell_in_time",
    "withdraw_promise",
    "write_to_customer",
]
