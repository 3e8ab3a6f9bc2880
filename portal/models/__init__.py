"""The nouns of Kept, one file each, with the rules that govern them.

Importing this package makes every table known to SQLModel's metadata (migrations need it).
"""

from portal.models.access_code import AccessCode, are_enough, digits
from portal.models.actor import KEPT, THE_CUSTOMER, Actor, ActorKind
from portal.models.api_key import ApiKey, IdempotentAnswer
from portal.models.asking import Asking
from portal.models.attachment import Attachment, AttachmentState
from portal.models.canned_reply import CannedReply
from portal.models.consent import Consent, ConsentSource
from portal.models.contact import Contact, ContactChannel, ContactReason
from portal.models.customer import Channel, ContactPoint, Customer
from portal.models.department import Department, Membership
from portal.models.dropped_ball import BallKind, DroppedBall, Level
from portal.models.event import Event, EventKind
from portal.models.follow_up import Answer, Expects, FollowUp, FollowUpState
from portal.models.handing_over import HandingOver, may_recall
from portal.models.handoff import Handoff
from portal.models.heartbeat import WATCH, Heartbeat
from portal.models.known_device import REMEMBERED, KnownDevice, hash_secret, new_secret
from portal.models.message import (
    ANSWERS,
    EDITED,
    FINAL,
    RANK,
    RECEIPTS_COME_WITHIN,
    UNSETTLED,
    Direction,
    Message,
    MessageKind,
    MessageStatus,
    SendAttempt,
    contradict,
    rises,
)
from portal.models.outage import Outage
from portal.models.pace import NO_PACES, WHOLE, Pace, Paces
from portal.models.presence import Presence
from portal.models.progress import Progress
from portal.models.promise import Promise, PromiseKind, PromiseState
from portal.models.roster import Roster
from portal.models.sender import Sender
from portal.models.service_request import (
    A_REFERENCE,
    ENDED,
    RequestStatus,
    ServiceRequest,
    new_reference,
)
from portal.models.slipping import WATCHED, Slip, slips
from portal.models.staff_member import Role, StaffMember, token_hash
from portal.models.stage_run import RunState, StageRun
from portal.models.tracking_link import TrackingLink
from portal.models.workflow import Stage, Workflow

__all__ = [
    "ANSWERS",
    "A_REFERENCE",
    "EDITED",
    "ENDED",
    "FINAL",
    "KEPT",
    "NO_PACES",
    "RANK",
    "RECEIPTS_COME_WITHIN",
    "REMEMBERED",
    "THE_CUSTOMER",
    "UNSETTLED",
    "WATCH",
    "WATCHED",
    "WHOLE",
    "AccessCode",
    "Actor",
    "ActorKind",
    "Answer",
    "ApiKey",
    "Asking",
    "Attachment",
    "AttachmentState",
    "BallKind",
    "CannedReply",
    "Channel",
    "Consent",
    "ConsentSource",
    "Contact",
    "ContactChannel",
    "ContactPoint",
    "ContactReason",
    "Customer",
    "Department",
    "Direction",
    "DroppedBall",
    "Event",
    "EventKind",
    "Expects",
    "FollowUp",
    "FollowUpState",
    "HandingOver",
    "Handoff",
    "Heartbeat",
    "IdempotentAnswer",
    "KnownDevice",
    "Level",
    "Membership",
    "Message",
    "MessageKind",
    "MessageStatus",
    "Outage",
    "Pace",
    "Paces",
    "Presence",
    "Progress",
    "Promise",
    "PromiseKind",
    "PromiseState",
    "RequestStatus",
    "Role",
    "Roster",
    "RunState",
    "SendAttempt",
    "Sender",
    "ServiceRequest",
    "Slip",
    "StaffMember",
    "Stage",
    "StageRun",
    "TrackingLink",
    "Workflow",
    "are_enough",
    "contradict",
    "digits",
    "hash_secret",
    "may_recall",
    "new_reference",
    "new_secret",
    "rises",
    "slips",
    "token_hash",
]
