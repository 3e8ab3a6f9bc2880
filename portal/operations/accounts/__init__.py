"""What happens to the accounts of staff: sign-ins begin and end, passwords change, photos are set."""

from portal.operations.accounts.photos import remove_photo, set_photo
from portal.operations.accounts.record import Client, record_account_event
from portal.operations.accounts.sign_ins import (
    change_password,
    end_all_sign_ins,
    end_sign_in,
    lock_account,
    mark_seen,
    start_sign_in,
)

__all__ = [
    "Client",
    "change_password",
    "end_all_sign_ins",
    "end_sign_in",
    "lock_account",
    "mark_seen",
    "record_account_event",
    "remove_photo",
    "set_photo",
    "start_sign_in",
]
