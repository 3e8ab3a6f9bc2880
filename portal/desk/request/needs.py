"""What is needed from the customer, at the desk: each item with its state and its forms."""

from collections.abc import Mapping

from portal.desk.auth.current_staff import CurrentStaff
from portal.desk.request.view_models import NeedLine
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import Need, NeedState, ServiceRequest
from portal.models.columns import saved_id
from portal.rules.authorization import Act
from portal.rules.needs import item_title, open_check_promise
from portal.rules.roster import Roster

STATE_LABELS: Mapping[NeedState, str] = {
    NeedState.NEEDED: "not sent yet",
    NeedState.SENT: "sent",
    NeedState.CHECKING: "being checked",
    NeedState.ACCEPTED: "accepted",
    NeedState.CORRECTION: "to be corrected",
}


def need_lines(
    request: ServiceRequest, roster: Roster, times: TimeFormatter, reader: CurrentStaff
) -> list[NeedLine]:
    """The items of the request, with the forms that the reader may use."""
    may_check = not request.is_closed and reader.may(Act.CHECK_NEED, request)
    return [
        NeedLine(
            id=str(saved_id(need)),
            title=item_title(request, need),
            state=_state(request, need, roster, times),
            may_mark_sent=may_check and need.is_to_send,
            may_accept=may_check and need.state != NeedState.ACCEPTED,
            may_correct=may_check and need.sent_at is not None and not need.is_to_send,
        )
        for need in request.needs
        if need.state != NeedState.WITHDRAWN
    ]


def _state(request: ServiceRequest, need: Need, roster: Roster, times: TimeFormatter) -> str:
    label = STATE_LABELS[need.state]
    promise = open_check_promise(request, need)
    if need.state == NeedState.CORRECTION:
        label += f": {need.reason}"
    elif need.is_received and need.sent_at is not None:
        label += f", came {times.since(need.sent_at)}"
    if promise is not None:
        owner = roster.person(promise.owner_id).name
        label += f". {owner} checks it by {times.by(promise.due_at)}"
    return label
