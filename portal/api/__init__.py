"""JSON for other systems, at ``/api/v1``: what is where."""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from portal.api import (
    conversations,
    delays,
    dropped_balls,
    failed_messages,
    handoffs,
    requests,
    staff,
)
from portal.api.delays import Delay
from portal.api.endpoint import Change, Download, Read
from portal.api.handoffs import Heard, Minds, StoryAnswer
from portal.api.openapi import describe
from portal.api.problem_details import problem
from portal.api.schemas.inputs import (
    Absence,
    Advance,
    Assign,
    BallQuery,
    Body,
    Cancel,
    Dismiss,
    Hold,
    MessageQuery,
    Move,
    MovePromise,
    NewContact,
    NewMessage,
    NewPromise,
    NewRequest,
    PageQuery,
    Reasoned,
    RequestQuery,
    Resend,
    Retry,
    SendBack,
    StageMove,
    Told,
    WithdrawPromise,
)
from portal.api.schemas.records import (
    BallAnswer,
    BallList,
    ContactAnswer,
    EventList,
    FollowUpList,
    MessageAnswer,
    MessageList,
    PromiseAnswer,
    PromiseList,
)
from portal.api.schemas.requests import RequestAnswer, RequestList
from portal.api.staff import StaffAnswer, StaffList

__all__ = ["CALLS", "problem", "routes"]

ONE = "/requests/{reference}"
MESSAGE = "/messages/{message_id}"
PERSON = "/staff/{email}"
PROMISE = f"{ONE}/promises/{{promise_id}}"

# fmt: off
CALLS: list[Change | Read | Download] = [
    Change("/requests",             requests.open_request,         NewRequest, RequestAnswer, 201,
           location="/api/v1/requests/{reference}"),
    Read("/requests",               requests.show_requests,        RequestList, RequestQuery),
    Read(ONE,                       requests.show_request,         RequestAnswer),
    Change(f"{ONE}/advance",        requests.advance,              Advance, RequestAnswer),
    Change(f"{ONE}/send-back",      requests.send_back,            SendBack, RequestAnswer),
    Change(f"{ONE}/hold",           requests.hold,                 Hold, RequestAnswer),
    Change(f"{ONE}/resume",         requests.resume,               StageMove, RequestAnswer),
    Change(f"{ONE}/delay",          delays.tell_delay,             Delay, RequestAnswer),
    Change(f"{ONE}/cancel",         requests.cancel,               Cancel, RequestAnswer),
    Change(f"{ONE}/reopen",         requests.reopen,               Reasoned, RequestAnswer),
    Change(f"{ONE}/handoff/accept", handoffs.accept,           StageMove, RequestAnswer),
    Change(f"{ONE}/handoff/refuse", handoffs.refuse,           Reasoned, RequestAnswer),
    Change(f"{ONE}/handoff/recall", handoffs.recall,           StageMove, RequestAnswer),
    Change(f"{ONE}/minds",          handoffs.note_minds,       Minds, RequestAnswer),
    Change(f"{ONE}/third-party",    handoffs.hear_from_third_party, Heard, RequestAnswer),
    Read(f"{ONE}/story",            handoffs.show_story,       StoryAnswer),
    Change(f"{ONE}/assign",         requests.assign,               Assign, RequestAnswer),
    Change(f"{ONE}/promises",       conversations.make_promise,    NewPromise, PromiseAnswer, 201),
    Change(f"{PROMISE}/keep",       conversations.keep_promise,    Move, PromiseAnswer),
    Change(f"{PROMISE}/move",       conversations.move_promise,    MovePromise, PromiseAnswer),
    Change(f"{PROMISE}/withdraw",   conversations.withdraw_promise, WithdrawPromise, PromiseAnswer),
    Change(f"{ONE}/messages",       conversations.write,           NewMessage, MessageAnswer, 201,
           location="/api/v1/messages/{id}"),
    Change(f"{ONE}/contacts",       conversations.log_contact,     NewContact, ContactAnswer, 201),
    Read(f"{ONE}/timeline",         conversations.show_timeline,   EventList, PageQuery),
    Read(f"{ONE}/messages",         conversations.show_messages,   MessageList, PageQuery),
    Read(f"{ONE}/promises",         conversations.show_promises,   PromiseList, PageQuery),
    Read(f"{ONE}/follow-ups",       conversations.show_follow_ups, FollowUpList, PageQuery),
    Read("/messages",               failed_messages.show_lost_messages,    MessageList, MessageQuery),
    Read("/messages/{message_id}",  conversations.show_message,    MessageAnswer),
    Change(f"{MESSAGE}/retry",      failed_messages.retry,                 Retry, MessageAnswer, 201,
           location="/api/v1/messages/{id}"),
    Change(f"{MESSAGE}/resend",     failed_messages.resend,                Resend, MessageAnswer, 201,
           location="/api/v1/messages/{id}"),
    Change(f"{MESSAGE}/told",       failed_messages.mark_as_told,          Told, MessageAnswer),
    Download("/attachments/{attachment_id}", conversations.show_attachment),
    Read("/staff",                  staff.show_staff,             StaffList, PageQuery),
    Change(f"{PERSON}/absence",     staff.mark_absent,            Absence, StaffAnswer),
    Change(f"{PERSON}/back",        staff.mark_back,              Body, StaffAnswer),
    Read("/dropped-balls",          dropped_balls.show_dropped_balls,      BallList, BallQuery),
    Change("/dropped-balls/{ball_id}/dismiss", dropped_balls.dismiss,      Dismiss, BallAnswer),
]
# fmt: on


async def show_description(request: Request) -> JSONResponse:
    """The description of all of it; no key is needed to read it."""
    return JSONResponse(describe(CALLS, request.app.state.settings.public_url))


routes = [Route("/openapi.json", show_description), *(call.route for call in CALLS)]
