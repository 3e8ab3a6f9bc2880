"""`kept backup` and `kept restore`: what they did, and what is left to do by hand."""

from pathlib import Path

from portal.runtime.backup import create_backup, restore_backup
from portal.runtime.supervisor import print_status
from portal.settings import Settings


def back_up(settings: Settings, file: Path, *, with_keys: bool) -> list[str]:
    """Make the backup; progress and warnings go to stderr. Raises PortalError."""
    made = create_backup(settings, file, with_keys=with_keys, progress=print_status)
    if made.missing:
        print_status(
            f"warning: {made.missing} attachments that the database names are not in "
            f"{settings.files_dir}."
        )
    requests = made.manifest.tables["service_request"].rows
    held = (
        f"{file}: {requests} requests and {made.manifest.files} files of attachments, "
        f"{made.size:,} bytes, as of {made.manifest.made_at}."
    )
    return [held, _key_sentence(settings, has_key=made.has_key)]


def restore(settings: Settings, file: Path, *, replace: bool) -> list[str]:
    """Restore the backup; progress goes to stderr. Raises PortalError."""
    done = restore_backup(settings, file, replace=replace, progress=print_status)
    requests = done.manifest.tables["service_request"].rows
    held = (
        f"{requests} requests and {done.manifest.files} files of attachments are restored, "
        f"as of {done.manifest.made_at}."
    )
    lines = [held]
    if done.aside:
        lines.append(f"The old data is in {done.aside}.")
    key = settings.data_dir / "secret_key"
    if not done.has_key and not settings.configured_secret_keys and not key.exists():
        lines.append(
            f"The secret key is not in the backup: put yours at {key} before you start Kept. "
            "With a new one staff sign in again and reply addresses of earlier e-mails fail."
        )
    lines.append(
        "What was sent after the backup is not known here: messages that are queued may be sent "
        "again (docs/backup.md)."
    )
    return lines


def _key_sentence(settings: Settings, *, has_key: bool) -> str:
    key = settings.data_dir / "secret_key"
    if has_key:
        return "The secret key is in it: whoever reads the file can sign in as anybody. Encrypt it."
    if settings.configured_secret_keys:
        return "The secret key is not in it: keep KEPT_SECRET_KEY where you keep your settings."
    if not key.exists():
        return "There is no secret key yet: the first start makes one."
    return f"The secret key is not in it: keep a copy of {key} elsewhere, or give --with-keys."
