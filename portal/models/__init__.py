"""The nouns of Kept, one file each, with the rules that govern them.

Importing this package makes every table known to SQLModel's metadata (migrations need it).
"""

from portal.models.messages.attachment import Attachment, AttachmentState
from portal.models.messages.canned_reply import CannedReply
from portal.models.messages.message import (
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
from portal.models.messages.sender import Sender
from portal.models.monitoring.heartbeat import WATCH, Heartbeat
from portal.models.monitoring.monitoring_gap import Outage
from portal.models.monitoring.stage_duration import NO_PACES, WHOLE, Pace, Paces
from portal.models.people.actor import KEPT, THE_CUSTOMER, Actor, ActorKind
from portal.models.people.api_key import ApiKey, IdempotentAnswer
from portal.models.people.consent import Consent, ConsentSource
from portal.models.people.customer import Channel, ContactPoint, Customer
from portal.models.people.department import Department, Membership
from portal.models.people.presence import Presence
from portal.models.people.staff_member import Role, StaffMember, token_hash
from portal.models.people.trusted_device import REMEMBERED, KnownDevice, hash_secret, new_secret
from portal.models.people.verification_code import AccessCode, are_enough, digits
from portal.models.requests.contact import Contact, ContactChannel, ContactReason
from portal.models.requests.dropped_ball import BallKind, DroppedBall, Level
from portal.models.requests.event import Event, EventKind
from portal.models.requests.follow_up import Answer, Expects, FollowUp, FollowUpState
from portal.models.requests.handoff import Handoff
from portal.models.requests.promise import Promise, PromiseKind, PromiseState
from portal.models.requests.service_request import (
    A_REFERENCE,
    ENDED,
    RequestStatus,
    ServiceRequest,
    new_reference,
)
from portal.models.requests.stage_run import RunState, StageRun
from portal.models.requests.tracking_link import TrackingLink
from portal.models.requests.workflow import Stage, Workflow

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
    "WHOLE",
    "AccessCode",
    "Actor",
    "ActorKind",
    "Answer",
    "ApiKey",
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
    "Promise",
    "PromiseKind",
    "PromiseState",
    "RequestStatus",
    "Role",
    "RunState",
    "SendAttempt",
    "Sender",
    "ServiceRequest",
    "StaffMember",
    "Stage",
    "StageRun",
    "TrackingLink",
    "Workflow",
    "are_enough",
    "contradict",
    "digits",
    "hash_secret",
    "new_reference",
    "new_secret",
    "rises",
    "token_hash",
]
