"""The tables of Kept, one file each, with the rules of a single row.

Importing this package makes every table known to SQLModel's metadata, for migrations.
"""

from portal.models.messages.attachment import Attachment, AttachmentState
from portal.models.messages.attachment_read import AttachmentRead
from portal.models.messages.canned_reply import CannedReply
from portal.models.messages.delivery_reason import DeliveryReason
from portal.models.messages.message import (
    ASK_BACK_CAUSE,
    CALL_TIME_SUFFIX,
    EDITED_SUFFIX,
    NEEDS_ATTENTION,
    OFFER_SUFFIX,
    RECEIPT_TIMEOUT,
    RESPONSE_KINDS,
    Direction,
    Message,
    MessageKind,
)
from portal.models.messages.message_status import (
    FAILED_STATUSES,
    FINAL_STATUSES,
    STATUS_RANK,
    MessageStatus,
    is_forward_status,
    statuses_conflict,
)
from portal.models.messages.send_attempt import SendAttempt
from portal.models.messages.sender import Sender
from portal.models.messages.transport import Transport
from portal.models.monitoring.heartbeat import DETECTION, Heartbeat
from portal.models.monitoring.job_failure import JobFailure
from portal.models.monitoring.monitoring_gap import MonitoringGap
from portal.models.monitoring.stage_duration import (
    NO_STAGE_DURATIONS,
    WHOLE_REQUEST,
    StageDuration,
    StageDurations,
)
from portal.models.people.account_event import AccountEvent, AccountEventKind
from portal.models.people.actor import CUSTOMER_ACTOR, SYSTEM_ACTOR, Actor, ActorKind
from portal.models.people.address_key import AddressKey
from portal.models.people.api_key import ApiKey, ApiScope, IdempotentResponse
from portal.models.people.consent import Consent, ConsentSource
from portal.models.people.customer import Channel, ContactPoint, Customer
from portal.models.people.department import Department, Membership
from portal.models.people.person_request import (
    PersonRequest,
    PersonRequestKind,
    one_month_after,
)
from portal.models.people.presence import Presence
from portal.models.people.push_subscription import PushSubscription
from portal.models.people.staff_member import Role, StaffMember, hash_token
from portal.models.people.staff_photo import StaffPhoto
from portal.models.people.staff_sign_in import (
    LAST_SEEN_INTERVAL,
    SignInEnd,
    StaffSignIn,
    hash_sign_in_token,
    new_sign_in_token,
)
from portal.models.people.trusted_device import (
    TRUST_DURATION,
    TrustedDevice,
    hash_device_secret,
    new_device_secret,
)
from portal.models.people.verification_code import (
    VerificationCode,
    derive_code,
    is_code_limit_reached,
)
from portal.models.requests.contact import Contact, ContactChannel, ContactReason
from portal.models.requests.dropped_ball import DroppedBall, DroppedBallKind, EscalationLevel
from portal.models.requests.event import Event, EventKind
from portal.models.requests.follow_up import (
    READ_BACK_CAUSE,
    Answer,
    AnswerType,
    FollowUp,
    FollowUpState,
)
from portal.models.requests.handoff import Handoff
from portal.models.requests.need import Need, NeedState
from portal.models.requests.promise import Promise, PromiseKind, PromiseState, PromiseWording
from portal.models.requests.reference import REFERENCE_PATTERN, new_reference
from portal.models.requests.request_status import CLOSED_STATUSES, RequestStatus
from portal.models.requests.service_request import ServiceRequest
from portal.models.requests.share_link import ShareLink
from portal.models.requests.stage_run import RunState, StageRun
from portal.models.requests.third_party_code import ThirdPartyCode
from portal.models.requests.tracking_link import TrackingLink
from portal.models.requests.workflow import Stage, Workflow

__all__ = [
    "ASK_BACK_CAUSE",
    "CALL_TIME_SUFFIX",
    "CLOSED_STATUSES",
    "CUSTOMER_ACTOR",
    "DETECTION",
    "EDITED_SUFFIX",
    "FAILED_STATUSES",
    "FINAL_STATUSES",
    "LAST_SEEN_INTERVAL",
    "NEEDS_ATTENTION",
    "NO_STAGE_DURATIONS",
    "OFFER_SUFFIX",
    "READ_BACK_CAUSE",
    "RECEIPT_TIMEOUT",
    "REFERENCE_PATTERN",
    "RESPONSE_KINDS",
    "STATUS_RANK",
    "SYSTEM_ACTOR",
    "TRUST_DURATION",
    "WHOLE_REQUEST",
    "AccountEvent",
    "AccountEventKind",
    "Actor",
    "ActorKind",
    "AddressKey",
    "Answer",
    "AnswerType",
    "ApiKey",
    "ApiScope",
    "Attachment",
    "AttachmentRead",
    "AttachmentState",
    "CannedReply",
    "Channel",
    "Consent",
    "ConsentSource",
    "Contact",
    "ContactChannel",
    "ContactPoint",
    "ContactReason",
    "Customer",
    "DeliveryReason",
    "Department",
    "Direction",
    "DroppedBall",
    "DroppedBallKind",
    "EscalationLevel",
    "Event",
    "EventKind",
    "FollowUp",
    "FollowUpState",
    "Handoff",
    "Heartbeat",
    "IdempotentResponse",
    "JobFailure",
    "Membership",
    "Message",
    "MessageKind",
    "MessageStatus",
    "MonitoringGap",
    "Need",
    "NeedState",
    "PersonRequest",
    "PersonRequestKind",
    "Presence",
    "Promise",
    "PromiseKind",
    "PromiseState",
    "PromiseWording",
    "PushSubscription",
    "RequestStatus",
    "Role",
    "RunState",
    "SendAttempt",
    "Sender",
    "ServiceRequest",
    "ShareLink",
    "SignInEnd",
    "StaffMember",
    "StaffPhoto",
    "StaffSignIn",
    "Stage",
    "StageDuration",
    "StageDurations",
    "StageRun",
    "ThirdPartyCode",
    "TrackingLink",
    "Transport",
    "TrustedDevice",
    "VerificationCode",
    "Workflow",
    "derive_code",
    "hash_device_secret",
    "hash_sign_in_token",
    "hash_token",
    "is_code_limit_reached",
    "is_forward_status",
    "new_device_secret",
    "new_reference",
    "new_sign_in_token",
    "one_month_after",
    "statuses_conflict",
]
