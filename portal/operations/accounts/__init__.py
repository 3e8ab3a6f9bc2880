"""What happens to the accounts of staff: sign-ins begin and end, passwords change."""

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
    "start_sign_in",
]
