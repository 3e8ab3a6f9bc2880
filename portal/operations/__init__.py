"""The operations that desk, pages, API, webhooks, workers and commands all call.

An operation takes a ``UnitOfWork`` (one transaction), changes rows, records events and queues
messages. When the unit of work ends it commits, and only then wakes workers and live pages.
"""

from portal.operations.conversation.applying.intent_corrections import correct_intent
from portal.operations.conversation.attachments import IncomingMedia
from portal.operations.conversation.consent import ConsentChange, record_spoken_consent
from portal.operations.conversation.documents import give_document
from portal.operations.conversation.inbound_email import (
    UNREADABLE_MAIL_BODY,
    email_cause,
    receive_email,
    record_automatic_mail,
    unreadable_email,
)
from portal.operations.conversation.inbound_message import OptOutType
from portal.operations.conversation.inbound_text import receive_text, receive_web_message
from portal.operations.conversation.reading.preparation import reading_is_ready
from portal.operations.conversation.staff_messages import (
    log_contact,
    refuse_repeated_message,
    set_preferences,
    write_to_customer,
)
from portal.operations.conversation.wishes.preferences import WISH_BUTTONS, set_wishes
from portal.operations.customers.same_person import settle_same_person
from portal.operations.delivery.bounces import record_bounce, record_unreadable_bounce
from portal.operations.delivery.bulk_retry import BulkRetryResult, retry_messages
from portal.operations.delivery.failed_messages import (
    lock_failed_message,
    mark_told_by_phone,
    resend_message,
    retry_message,
)
from portal.operations.delivery.receipts import Receipt, ReceiptWriter
from portal.operations.device_verification import forget_device, send_code, verify_code
from portal.operations.dropped_balls.escalation import escalate, queue_staff_notices
from portal.operations.dropped_balls.resolution import (
    dismiss_dropped_ball,
    inspect_requests,
    schedule_ownerless_checks,
)
from portal.operations.follow_ups import (
    answer_follow_up,
    resume_expired_holds,
    run_due_follow_ups,
)
from portal.operations.handoffs import accept, recall, refuse
from portal.operations.needs.checked_items import accept_item, ask_correction
from portal.operations.needs.sent_items import mark_sent
from portal.operations.open_request import CustomerDetails, RequestDetails, open_request
from portal.operations.proactive_updates import announce_delay, send_due_updates
from portal.operations.promises import keep_promise, make_promise, move_promise, withdraw_promise
from portal.operations.reassignment import reassign, reassign_all, reassign_unlinked_dropped_balls
from portal.operations.self_service.address_change import change_address, send_code_to_new_address
from portal.operations.self_service.push_subscriptions import end_notifications, subscribe_browser
from portal.operations.self_service.share_links import end_sharing, share_request
from portal.operations.self_service.withdrawal import ask_to_withdraw, withdraw_request
from portal.operations.staff import (
    add_staff,
    disable_staff,
    mark_absent,
    mark_returned,
    set_department_lead,
)
from portal.operations.third_parties.events import record_third_party_event
from portal.operations.third_parties.reports import ThirdPartyReport
from portal.operations.third_parties.updates import record_third_party_update
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
    set_customer_note,
)
from portal.operations.unit_of_work import Operations, UnitOfWork
from portal.operations.visits.booking import (
    announce_on_the_way,
    book_visit,
    cancel_visit,
    find_current_visit,
    find_visit,
    get_free_window,
    visit_question,
)
from portal.operations.visits.windows import free_windows, visit_zone
from portal.operations.workflows import load_workflow

__all__ = [
    "UNREADABLE_MAIL_BODY",
    "WISH_BUTTONS",
    "BulkRetryResult",
    "ConsentChange",
    "CustomerDetails",
    "IncomingMedia",
    "Operations",
    "OptOutType",
    "Receipt",
    "ReceiptWriter",
    "RequestDetails",
    "ThirdPartyReport",
    "UnitOfWork",
    "accept",
    "accept_item",
    "add_staff",
    "advance",
    "announce_delay",
    "announce_on_the_way",
    "answer_follow_up",
    "ask_correction",
    "ask_to_withdraw",
    "assign",
    "book_visit",
    "cancel",
    "cancel_visit",
    "change_address",
    "correct_intent",
    "disable_staff",
    "dismiss_dropped_ball",
    "email_cause",
    "end_notifications",
    "end_sharing",
    "escalate",
    "find_current_visit",
    "find_visit",
    "forget_device",
    "free_windows",
    "get_free_window",
    "give_document",
    "hold",
    "inspect_requests",
    "keep_promise",
    "load_workflow",
    "lock_failed_message",
    "log_contact",
    "make_promise",
    "mark_absent",
    "mark_returned",
    "mark_sent",
    "mark_told_by_phone",
    "move_promise",
    "open_request",
    "queue_staff_notices",
    "reading_is_ready",
    "reassign",
    "reassign_all",
    "reassign_unlinked_dropped_balls",
    "recall",
    "receive_email",
    "receive_text",
    "receive_web_message",
    "record_automatic_mail",
    "record_bounce",
    "record_spoken_consent",
    "record_third_party_event",
    "record_third_party_update",
    "record_unreadable_bounce",
    "refuse",
    "refuse_repeated_message",
    "reopen",
    "replace_link",
    "resend_message",
    "resume",
    "resume_expired_holds",
    "retry_message",
    "retry_messages",
    "revoke_link",
    "run_due_follow_ups",
    "schedule_ownerless_checks",
    "send_back",
    "send_code",
    "send_code_to_new_address",
    "send_due_updates",
    "set_customer_note",
    "set_department_lead",
    "set_preferences",
    "set_wishes",
    "settle_same_person",
    "share_request",
    "subscribe_browser",
    "unreadable_email",
    "verify_code",
    "visit_question",
    "visit_zone",
    "withdraw_promise",
    "withdraw_request",
    "write_to_customer",
]
