"""A stage that a third party does, such as a courier, and how long it may be silent."""

from __future__ import annotations

from typing import Final, Literal, TypedDict

from portal.business_time import Duration
from portal.carriers import URL_REMEDY, is_url_template
from portal.workflows.table_reader import TableReader

THIRD_PARTY_KEYS: Final = ("third_party", "silent_after", "tracking_url", "delivered")
"""The keys of a stage about its third party."""
MAX_URL_LENGTH: Final = 500


class ThirdPartyKeys(TypedDict):
    """The values of these keys, as `StageDefinition` has them."""

    third_party: str
    silent_after: Duration | None
    tracking_url: str
    delivered: Literal["", "complete", "keep"]


def read_third_party(table: TableReader) -> ThirdPartyKeys:
    """The third party of the stage ("" for none), and what is said of it."""
    name = table.text("third_party")
    silent_after = table.duration("silent_after")
    if "silent_after" in table and "third_party" not in table:
        remedy = 'Add who is meant, like third_party = "DHL", or take out "silent_after".'
        table.add_issue("silent_after", 'has "silent_after" but no "third_party"', remedy)
    elif silent_after is not None and not silent_after:
        remedy = 'Give them some time, like silent_after = "2d", or leave the line out.'
        table.add_issue("silent_after", "would be silent at once", remedy)
    return ThirdPartyKeys(
        third_party=name,
        silent_after=silent_after,
        tracking_url=_tracking_url(table),
        delivered=_delivered(table),
    )


def _tracking_url(table: TableReader) -> str:
    template = table.text("tracking_url", max_length=MAX_URL_LENGTH)
    if template and not is_url_template(template):
        table.add_issue("tracking_url", 'has no usable "tracking_url"', URL_REMEDY)
        return ""
    return template


def _delivered(table: TableReader) -> Literal["", "complete", "keep"]:
    value = table.text("delivered")
    if value in ("complete", "keep"):
        return value  # type: ignore[return-value]
    if value:
        remedy = 'Write "complete", or "keep" where staff complete it.'
        table.add_issue("delivered", f'has "{value}" as "delivered"', remedy)
    return ""
