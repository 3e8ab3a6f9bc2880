"""How long what concerns persons is kept."""

from pydantic import Field
from pydantic_settings import BaseSettings

MAX_DAYS = 36_500
"""A century; of many more days no date is left to count from."""


class RetentionSettings(BaseSettings):
    """Days after which the worker erases; 0 keeps for ever. See docs/privacy.md."""

    keep_closed_requests_days: int = Field(
        0,
        ge=0,
        le=MAX_DAYS,
        validation_alias="KEPT_KEEP_CLOSED_REQUESTS_DAYS",
        description="Days after which a closed request is made nameless, and its customer erased "
        "with the last of their requests; 0 keeps it for ever.",
    )
    keep_message_bodies_days: int = Field(
        0,
        ge=0,
        le=MAX_DAYS,
        validation_alias="KEPT_KEEP_MESSAGE_BODIES_DAYS",
        description="Days after which the text of a message is erased, unless its request is open; "
        "0 keeps it for ever.",
    )
    keep_files_days: int = Field(
        0,
        ge=0,
        le=MAX_DAYS,
        validation_alias="KEPT_KEEP_FILES_DAYS",
        description="Days after which the files of a message are erased, unless its request is "
        "open; 0 keeps them for ever.",
    )
    keep_sign_ins_days: int = Field(
        365,
        ge=0,
        le=MAX_DAYS,
        validation_alias="KEPT_KEEP_SIGN_INS_DAYS",
        description="Days after which sign-ins of staff and the record of their accounts are deleted; "
        "0 keeps them for ever.",
    )
