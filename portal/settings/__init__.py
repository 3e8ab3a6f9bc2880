"""Every setting, read once from the environment or `.env`, each with a description."""

from portal.errors import SettingsError
from portal.settings.settings import Settings
from portal.settings.types import QuietHours

__all__ = ["QuietHours", "Settings", "SettingsError"]
