"""Removes from a page what a link alone does not show, before the page is rendered."""

from dataclasses import dataclass, replace
from typing import Literal

from portal.tracking.status_page.conversation_view import AttachmentLine, ConversationLine
from portal.tracking.status_page.view_models import StatusPage

CodeFor = Literal["documents", "conversation", "nothing"]


@dataclass(frozen=True, slots=True)
class Visibility:
    """What a browser may see beyond what the link alone shows.

    A trusted browser sees everything; another one the messages that it has just sent, by the keys
    of their lines.
    """

    is_trusted: bool = False
    own_message_keys: frozenset[str] = frozenset()


LINK_ONLY = Visibility()


def redact(page: StatusPage, verify_for: CodeFor, visibility: Visibility) -> StatusPage:
    """The page without what needs a code: no template can show what is not in it."""
    if verify_for == "nothing" or visibility.is_trusted:
        return page
    # The name of a file may be private, and its message is not known to be this browser's.
    page = replace(page, needs=page.needs.without_files())
    own_keys = visibility.own_message_keys
    page = replace(
        page,
        documents=tuple(replace(each, file=_redacted(each.file)) for each in page.documents),
    )
    if verify_for == "conversation":
        own = tuple(line for line in page.conversation if line.key in own_keys)
        hidden = len(page.conversation) - len(own)
        return replace(page, conversation=own, hidden_message_count=hidden)
    lines = (
        line if line.key in own_keys or not line.files else _without_files(line)
        for line in page.conversation
    )
    return replace(page, conversation=tuple(lines))


def _without_files(line: ConversationLine) -> ConversationLine:
    return replace(line, files=tuple(_redacted(file) for file in line.files))


def _redacted(file: AttachmentLine) -> AttachmentLine:
    """Without the name, which may be private. A rejected or expected file has none to hide."""
    if file.stored_file is None:
        return file
    return AttachmentLine(file.key, needs_code="photo" if file.stored_file.is_image else "paper")
