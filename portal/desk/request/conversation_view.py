"""What the conversation shows at the desk: words, files, tries at sending; see ``view``."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.attachments.stored_file import KeptFile
from portal.desk.widgets import When


@dataclass(frozen=True, slots=True)
class Try:
    """One try at sending a message, and how it ended."""

    at: str
    words: str


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A photo or paper that came with a message.

    Neither `kept` nor `refused` (the reason): it is still being fetched.
    """

    url: str
    kept: KeptFile | None = None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of the conversation. `fate` says in plain words what became of it.

    `kind`, `to`, `cost` and `tries` are for who wants to know more; `mend_url` is where a message
    that needs a person is put right. `taken_as` says what a customer's words were taken to mean,
    and by whom; `meaning` is that label.
    """

    mine: bool
    who: str
    body: str
    at: When
    fate: str = ""
    trouble: bool = False
    kind: str = ""
    to: str = ""
    cost: str = ""
    tries: Sequence[Try] = ()
    mend_url: str = ""
    files: Sequence[FileEntry] = ()
    id: int = 0
    meaning: str = ""
    taken_as: str = ""


@dataclass(frozen=True, slots=True)
class ReplyLine:
    """A reply at hand, with the request's facts in its fields."""

    id: int
    title: str
    body: str
    suggested: bool = False
