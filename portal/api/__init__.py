"""The JSON API at ``/api/v1``: its endpoints."""

import asyncio
import json
from functools import cache

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from portal.api import (
    conversations,
    documents,
    dropped_balls,
    failed_messages,
    handoffs,
    needs,
    requests,
    staff,
    third_parties,
    visits,
)
from portal.api.endpoint import FileEndpoint, ReadEndpoint, WriteEndpoint
from portal.api.handoffs import CustomerNoteInput, HandoverSummaryResponse
from portal.api.openapi import describe
from portal.api.problem_details import problem
from portal.api.schemas.inputs import (
    Absence,
    Advance,
    Assign,
    Cancel,
    DelayInput,
    Dismiss,
    Hold,
    Input,
    MarkToldInput,
    MovePromise,
    NewContact,
    NewDocument,
    NewMessage,
    NewPromise,
    NewRequest,
    Reopen,
    Resend,
    Retry,
    SendBack,
    StageInput,
    StageReasonInput,
    VersionedInput,
    WithdrawPromise,
)
from portal.api.schemas.messages import MessageList, MessageResponse
from portal.api.schemas.queries import DroppedBallQuery, MessageQuery, PageQuery, RequestQuery
from portal.api.schemas.records import (
    ContactResponse,
    DroppedBallList,
    DroppedBallResponse,
    EventList,
    FollowUpList,
    PromiseList,
    PromiseResponse,
)
from portal.api.schemas.requests import RequestList, RequestResponse
from portal.api.staff import StaffList, StaffResponse
from portal.api.third_parties import ThirdPartyEventInput, ThirdPartyUpdateInput
from portal.models import ApiScope
from portal.web.upload_limit import BASE64_EXPANSION, UploadLimit

__all__ = ["ENDPOINTS", "problem", "routes"]

REQUEST = "/requests/{reference}"
MESSAGE = "/messages/{message_id}"
STAFF_MEMBER = "/staff/{email}"
NEED = f"{REQUEST}/needs/{{item}}"
PROMISE = f"{REQUEST}/promises/{{promise_id}}"

# fmt: off
ENDPOINTS: list[WriteEndpoint | ReadEndpoint | FileEndpoint] = [
    WriteEndpoint("/requests",             requests.open_request,         NewRequest, RequestResponse, 201,
           location="/api/v1/requests/{reference}", scope=ApiScope.OPEN),
    ReadEndpoint("/requests",               requests.show_requests,        RequestList, RequestQuery),
    ReadEndpoint(REQUEST,                       requests.show_request,         RequestResponse),
    WriteEndpoint(f"{REQUEST}/advance",        requests.advance,              Advance, RequestResponse),
    WriteEndpoint(f"{REQUEST}/send-back",      requests.send_back,            SendBack, RequestResponse),
    WriteEndpoint(f"{REQUEST}/hold",           requests.hold,                 Hold, RequestResponse),
    WriteEndpoint(f"{REQUEST}/resume",         requests.resume,               StageInput, RequestResponse),
    WriteEndpoint(f"{REQUEST}/delay",          requests.tell_delay,             DelayInput, RequestResponse),
    WriteEndpoint(f"{REQUEST}/cancel",         requests.cancel,               Cancel, RequestResponse),
    WriteEndpoint(f"{REQUEST}/reopen",         requests.reopen,               Reopen, RequestResponse),
    WriteEndpoint(f"{REQUEST}/handoff/accept", handoffs.accept,           StageInput, RequestResponse),
    WriteEndpoint(f"{REQUEST}/handoff/refuse", handoffs.refuse,           StageReasonInput, RequestResponse),
    WriteEndpoint(f"{REQUEST}/handoff/recall", handoffs.recall,           StageInput, RequestResponse),
    WriteEndpoint(f"{REQUEST}/minds",          handoffs.set_customer_note,       CustomerNoteInput, RequestResponse),
    WriteEndpoint(f"{REQUEST}/third-party",    third_parties.record_third_party_update, ThirdPartyUpdateInput, RequestResponse),
    WriteEndpoint(f"{REQUEST}/third-party-events", third_parties.record_third_party_event, ThirdPartyEventInput, RequestResponse),
    ReadEndpoint(f"{REQUEST}/visit-windows",    visits.show_windows,           visits.VisitWindows),
    WriteEndpoint(f"{REQUEST}/visit",          visits.book,                   visits.VisitInput, RequestResponse),
    WriteEndpoint(f"{REQUEST}/visit/cancel",   visits.cancel,                 visits.CancelVisitInput, RequestResponse),
    WriteEndpoint(f"{REQUEST}/visit/on-the-way", visits.announce,             VersionedInput, RequestResponse),
    ReadEndpoint(f"{REQUEST}/story",            handoffs.show_handover_summary,       HandoverSummaryResponse),
    WriteEndpoint(f"{REQUEST}/assign",         requests.assign,               Assign, RequestResponse),
    WriteEndpoint(f"{REQUEST}/promises",       conversations.make_promise,    NewPromise, PromiseResponse, 201),
    WriteEndpoint(f"{PROMISE}/keep",       conversations.keep_promise,    VersionedInput, PromiseResponse),
    WriteEndpoint(f"{PROMISE}/move",       conversations.move_promise,    MovePromise, PromiseResponse),
    WriteEndpoint(f"{PROMISE}/withdraw",   conversations.withdraw_promise, WithdrawPromise, PromiseResponse),
    WriteEndpoint(f"{REQUEST}/messages",       conversations.write,           NewMessage, MessageResponse, 201,
           location="/api/v1/messages/{id}", without_key=conversations.refuse_repeated_message),
    WriteEndpoint(f"{REQUEST}/documents",      documents.give_document,       NewDocument, MessageResponse, 201,
           location="/api/v1/messages/{id}", prepare=documents.store_document,
           body_limit=Middleware(UploadLimit, expansion=BASE64_EXPANSION)),
    WriteEndpoint(f"{REQUEST}/contacts",       conversations.log_contact,     NewContact, ContactResponse, 201),
    ReadEndpoint(f"{REQUEST}/needs",            needs.show_needs,              needs.NeedList),
    WriteEndpoint(f"{NEED}/accept",            needs.accept_item,             Input, needs.NeedResponse),
    WriteEndpoint(f"{NEED}/correct",           needs.ask_correction,          needs.CorrectionInput, needs.NeedResponse),
    WriteEndpoint(f"{NEED}/sent",              needs.mark_item_sent,          Input, needs.NeedResponse),
    ReadEndpoint(f"{REQUEST}/timeline",         conversations.show_timeline,   EventList, PageQuery),
    ReadEndpoint(f"{REQUEST}/messages",         conversations.show_messages,   MessageList, PageQuery),
    ReadEndpoint(f"{REQUEST}/promises",         conversations.show_promises,   PromiseList, PageQuery),
    ReadEndpoint(f"{REQUEST}/follow-ups",       conversations.show_follow_ups, FollowUpList, PageQuery),
    ReadEndpoint("/messages",               failed_messages.show_failed_messages,    MessageList, MessageQuery),
    ReadEndpoint("/messages/{message_id}",  conversations.show_message,    MessageResponse),
    WriteEndpoint(f"{MESSAGE}/retry",      failed_messages.retry,                 Retry, MessageResponse, 201,
           location="/api/v1/messages/{id}"),
    WriteEndpoint(f"{MESSAGE}/resend",     failed_messages.resend,                Resend, MessageResponse, 201,
           location="/api/v1/messages/{id}"),
    WriteEndpoint(f"{MESSAGE}/told",       failed_messages.mark_told,          MarkToldInput, MessageResponse),
    FileEndpoint("/attachments/{attachment_id}", conversations.show_attachment),
    ReadEndpoint("/staff",                  staff.show_staff,             StaffList, PageQuery),
    WriteEndpoint(f"{STAFF_MEMBER}/absence",     staff.mark_absent,            Absence, StaffResponse),
    WriteEndpoint(f"{STAFF_MEMBER}/back",        staff.mark_back,              Input, StaffResponse),
    ReadEndpoint("/dropped-balls",          dropped_balls.show_dropped_balls,      DroppedBallList, DroppedBallQuery),
    WriteEndpoint("/dropped-balls/{ball_id}/dismiss", dropped_balls.dismiss,      Dismiss, DroppedBallResponse),
]
# fmt: on


async def show_description(request: Request) -> Response:
    """The description of all of it; no key is needed to read it."""
    public_url = request.app.state.settings.public_url
    body = await asyncio.to_thread(_description, public_url)
    return Response(body, media_type="application/json")


@cache
def _description(public_url: str) -> bytes:
    """The OpenAPI document as JSON. The first call takes a tenth of a second."""
    return json.dumps(describe(ENDPOINTS, public_url), ensure_ascii=False).encode()


def _route(calls: list[WriteEndpoint | ReadEndpoint | FileEndpoint]) -> Route:
    """One route for the calls of a path, so that a 405 names each method in ``Allow`` (RFC 9110)."""
    if len(calls) == 1:
        return calls[0].route
    serve = {call.method: call.serve for call in calls}

    async def serve_path(request: Request) -> Response:
        return await serve["GET" if request.method == "HEAD" else request.method](request)

    return Route(calls[0].path, serve_path, methods=list(serve))


_by_path: dict[str, list[WriteEndpoint | ReadEndpoint | FileEndpoint]] = {}
for _call in ENDPOINTS:
    _by_path.setdefault(_call.path, []).append(_call)

routes = [Route("/openapi.json", show_description), *map(_route, _by_path.values())]
