"""Each verb that spans nouns: desk, pages, API, hooks, workers and commands all call these.

A verb takes a ``Turn`` (one transaction) and leaves the nouns changed, the events recorded and
the messages owed; when the turn ends it commits, and only then wakes workers and live pages.
"""

from portal.operations.conversation.attachments import Texted
from portal.operations.conversation.consent import Choice, record_spoken_wish
from portal.operations.conversation.inbound_email import receive_email, set_aside
from portal.operations.conversation.inbound_text import receive_text, receive_web_message
from portal.operations.conversation.intent_corrections import relabel
from portal.operations.conversation.opt_out import CarrierWord
from portal.operations.conversation.staff_messages import (
    log_contact,
    set_preferences,
    write_to_customer,
)
from portal.operations.customer_note import note_minds
from portal.operations.delivery.bounces import record_bounce
from portal.operations.delivery.failed_messages import (
    lock_lost,
    mark_as_told,
    resend_message,
    retry_message,
)
from portal.operations.delivery.receipts import Receipt, Receipts
from portal.operations.device_verification import forget_device, send_code, take_code
from portal.operations.dropped_balls.escalation import escalate, mail_people
from portal.operations.dropped_balls.resolution import dismiss_ball, look_at, look_for_ownerless
from portal.operations.follow_ups import answer, ask_what_is_due, end_holds_that_are_over
from portal.operations.handoffs import accept, must_be_theirs, recall, refuse
from portal.operations.open_request import CustomerDetails, Order, open_request
from portal.operations.proactive_updates import tell_delay, tell_in_time
from portal.operations.promises import keep_promise, make_promise, move_promise, withdraw_promise
from portal.operations.reassignment import take_over, take_over_everything, take_over_strays
from portal.operations.staff import add_staff, disable_staff, mark_absent, mark_back, name_lead
from portal.operations.third_parties import hear_from_third_party
from portal.operations.transitions import (
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
from portal.operations.unit_of_work import Relay, Turn
from portal.operations.workflows import load_workflow

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
