"""What a link alone does not show: it is taken off the page before the page is drawn."""

from dataclasses import dataclass, replace
from typing import Literal

from portal.tracking.status_page.view_models import AttachmentLine, ConversationLine, StatusPage

CodeFor = Literal["documents", "conversation", "nothing"]


@dataclass(frozen=True, slots=True)
class Visibility:
    """What a browser sees beyond what the link alone shows.

    All of it, where it is ``known`` as the customer's; else ``own``, the messages that were sent
    from it a moment ago (by the keys of their lines).
    """

    known: bool = False
    own_message_keys: frozenset[str] = frozenset()


LINK_ONLY = Visibility()


def redact(page: StatusPage, verify_for: CodeFor, visibility: Visibility) -> StatusPage:
    """The page without what asks for a code. What is not in it cannot slip out in a template."""
    if verify_for == "nothing" or visibility.known:
        return page
    if verify_for == "conversation":
        own_message_keys = tuple(
            line for line in page.conversation if line.key in visibility.own_message_keys
        )
        others = len(page.conversation) - len(own_message_keys)
        return replace(page, conversation=own_message_keys, hidden_message_count=others)
    lines = (
        line if line.key in visibility.own_message_keys or not line.files else _without_files(line)
        for line in page.conversation
    )
    return replace(page, conversation=tuple(lines))


def _without_files(line: ConversationLine) -> ConversationLine:
    return replace(line, files=tuple(_closed(one) for one in line.files))


def _closed(file: AttachmentLine) -> AttachmentLine:
    """Even its name may say too much. What was refused, or is on its way, is said without one."""
    if file.kept is None:
        return file
    return AttachmentLine(file.key, needs_code="photo" if file.kept.is_image else "paper")
