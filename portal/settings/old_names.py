"""Old names of settings, accepted for one release with a warning."""

import logging

from pydantic_settings import EnvSettingsSource

NEW_NAMES = {
    "KEPT_CODE_FOR": "KEPT_VERIFY_FOR",
    "KEPT_LARGEST_FILE": "KEPT_MAX_UPLOAD_BYTES",
    "KEPT_PARTS_A_MONTH": "KEPT_MAX_SEGMENTS_PER_MONTH",
    "KEPT_POLL_AFTER": "KEPT_RECEIPT_POLL_SECONDS",
    "KEPT_RECONCILE_AFTER": "KEPT_RECONCILE_SECONDS",
    "KEPT_SWEEP_EVERY": "KEPT_SWEEP_SECONDS",
    "KEPT_TEXTS_A_NUMBER": "KEPT_MAX_TEXTS_PER_NUMBER_PER_DAY",
    "KEPT_TEXTS_A_REQUEST": "KEPT_MAX_TEXTS_PER_REQUEST",
}
"""The new name of each renamed variable."""

log = logging.getLogger(__name__)


def accept_old_names(*sources: EnvSettingsSource) -> None:
    """Let these sources read an old name as the new one, and log a warning for each in use.

    An old name is ignored where any of the sources has the new one. The warning names both
    variables and never a value.
    """
    names_in_use = {name for source in sources for name in source.env_vars}
    for old, new in NEW_NAMES.items():
        if old in names_in_use:
            effect = "is ignored" if new in names_in_use else "is accepted in this release only"
            log.warning("%s is now named %s; the old name %s.", old, new, effect)
    for source in sources:
        renamed = {
            NEW_NAMES[name]: value
            for name, value in source.env_vars.items()
            if name in NEW_NAMES and NEW_NAMES[name] not in names_in_use
        }
        source.env_vars = {**source.env_vars, **renamed}
