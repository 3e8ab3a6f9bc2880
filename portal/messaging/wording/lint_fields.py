"""The fields that each product text may have."""

from portal.workflows import PLACEHOLDERS

PRODUCT_FIELDS = (*PLACEHOLDERS, "owner", "since")
"""Fields that every product text may have beside the workflow's."""
WINDOW_TEXTS = (
    "window_between", "window_after", "window_before", "window_morning", "window_afternoon",
    "window_evening", "window_day", "window_moment",
)  # fmt: skip
VISIT_TEXTS = ("visit_booked", "visit_moved", "visit_tomorrow", "visit_stays")
FIELDS_BY_TEXT = {
    "due": (
        "acknowledgement", "acknowledgement_again", "call_at", "call_by", "noted_no", "reopen_offer", "wish_for_person",
        "promise", "promise_moved", "sent_back_passed", "status_passed", "delay_person", "update_hold_until",
        "acknowledgement_urgent", "answer_first", "price_first", "last_reply", "reopen_offer_cancelled", "rest_answered",
        "rest_urgent", "second_answer", "looking", "reopened_asked", "acknowledgement_complaint",
        "visit_cancelled_only", "visit_agree", "still_answers", "still_calls", "flood_owned",
        "item_sent", "read_back", "read_back_question", "status_checking",
    ),
    "looking": ("looking", "status_looking"),
    "promise": ("promise", "promise_moved"),
    "question": (
        "ask_back", "follow_up", "follow_up_again", "status_asked", "visit_question",
        "visit_question_again", "read_back_question",
    ),
    "choices": (
        "which_request", "which_request_again", "which_request_urgent", "visit_question",
        "visit_question_again", "visit_free", "visit_not_free", "visit_cancelled",
    ),
    "window": ("call_window",),
    "wish": ("call_vague",),
    "day": ("call_closed", *WINDOW_TEXTS),
    "visit": VISIT_TEXTS,
    "notes": VISIT_TEXTS,
    "place": ("visit_place", "status_come", "status_come_hours"),
    "hours": ("status_come_hours",),
    "zone": ("visit_zone",),
    "ended": ("status_cancelled", "status_ended"),
    "at": ("noted_time", "visit_not_free", "call_closes", "call_opens", "your_time"),
    "amount": ("agreed", "read_back"),
    "reason": (
        "delay_because", "delay_said", "update_hold", "update_hold_until", "cancelled_because",
        "declined_because", "hold_because", "correction_because", "milestone_again_because",
    ),
    "was": ("delay_said",),
    "item": ("correction_item", "correction_subject", "item_accepted", "item_accepted_last"),
    "asker": ("correction_because",),
    "last": ("update_said",),
    "code": ("code", "code_mail"),
    "host": ("code",),
    "arrival": ("arrival_expected", "status_arrival", "status_passed_arrival"),
    "third_party": (
        "reason_third_party", "out_for_delivery", "delivery_attempted", "ready_for_pickup",
    ),
    "party": ("status_third_party", "status_third_party_then", "update_third_party"),
    "length": ("status_third_party_then",),
    "outcome": (
        "closed_by_no_outcome", "cancelled_outcome", "unconfirmed_outcome", "status_ended_outcome",
    ),
    "begin": ("wish_night", "window_between", "window_after", "window_moment"),
    "end": ("wish_night", "window_between", "window_before"),
}  # fmt: skip
"""Fields that are filled in some sentences only."""
TEXTS_WITHOUT_REQUEST = (
    "flood",
    "help",
    "mail_start",
    "mail_stop",
    "start",
    "stop",
    "unknown_sender",
    "which_more",
)
"""Texts to an address without a request: only the brand and the address are known."""


def allowed_fields(name: str) -> tuple[str, ...]:
    """The fields that the product text of that name may have."""
    if name in TEXTS_WITHOUT_REQUEST:
        return ("brand", "link")
    return (*PRODUCT_FIELDS, *(field for field, names in FIELDS_BY_TEXT.items() if name in names))
