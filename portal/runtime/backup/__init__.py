"""Backups: database and attachments in one archive, made while Kept runs, and restored."""

from portal.runtime.backup.create import create_backup
from portal.runtime.backup.restore import restore_backup

__all__ = ["create_backup", "restore_backup"]
