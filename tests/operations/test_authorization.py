"""Every operation that staff can ask for applies the authorization rule."""

import inspect

import pytest

from portal import operations

UNASKED = {
    "answer_follow_up": "the customer answers, or a colleague's correction of a meaning, which is asked",
    "inspect_requests": "the detection of dropped balls",
    "open_request": "everybody at the desk opens requests",
    "lock_failed_message": "only locks",
    "load_workflow": "the command line",
    "add_staff": "the command line",
    "disable_staff": "the command line",
    "set_department_lead": "the command line",
    "escalate": "the worker",
    "queue_staff_notices": "the worker",
    "schedule_ownerless_checks": "the worker",
    "reassign": "the worker",
    "reassign_all": "the worker",
    "reassign_unlinked_dropped_balls": "the worker",
    "resume_expired_holds": "the worker",
    "run_due_follow_ups": "the worker",
    "send_due_updates": "the worker",
    "reading_is_ready": "reads files only",
    "withdraw_request": "the customer",
    "change_address": "the customer",
    "send_code_to_new_address": "the customer",
    "share_request": "the customer",
    "end_sharing": "the customer",
    "subscribe_browser": "the customer",
    "end_notifications": "the customer",
    "free_windows": "reads only",
    "get_free_window": "asked by book_visit, and by the customer's answer",
    "ask_to_withdraw": "the customer",
    "receive_email": "the customer",
    "receive_text": "the customer",
    "receive_web_message": "the customer",
    "record_automatic_mail": "a mail server",
    "record_unreadable_bounce": "a mail server",
    "retry_messages": "asked for each message, by retry_message",
    "record_bounce": "a mail server",
    "set_preferences": "the customer",
    "forget_device": "the customer",
    "send_code": "the customer",
    "verify_code": "the customer",
}
"""The operations that ask nobody, each with who starts it."""

ALL = {
    name: operation
    for name in operations.__all__
    if inspect.iscoroutinefunction(operation := getattr(operations, name))
}


@pytest.mark.parametrize("name", sorted(ALL))
def test_each_operation_calls_authorize_or_is_an_exception(name: str) -> None:
    source = inspect.getsource(ALL[name])
    asks = "await authorize" in source or "authorization.authorize(" in source
    assert asks is not (name in UNASKED)


def test_every_exception_is_still_needed() -> None:
    assert UNASKED.keys() <= ALL.keys()
