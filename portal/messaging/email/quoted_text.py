"""Removes quoted text and signatures from a mail.

Our own few lines, since the sender's text must never be lost: of the libraries that were tried,
mail-parser-reply drops all that follows a line with a hyphen and knows no Spanish Gmail, and
email-reply-parser takes a minute for ten kilobytes made to that end. Each line is read a bounded
number of times, and what is not surely quoted stays.
"""

import re
from dataclasses import dataclass, field
from html import unescape

ATTRIBUTION = re.compile(
    r"[>\s]*(?:On|El|Le|Am|Il|Em)\b.{4,400}"
    r"\b(?:wrote|escribió|a écrit|schrieb(?: .{1,100})?|ha scritto|escreveu)\s?:\s*",
    re.IGNORECASE,
)
ATTRIBUTION_DETAIL = re.compile(r"@|\d[:.]\d\d|\b20\d\d\b")
"""An address, a time or a year: "On Monday I wrote:" alone may be the customer speaking."""
SEPARATOR = re.compile(
    r"\s*-{2,} ?(?:original message|mensaje original|message d'origine"
    r"|ursprüngliche nachricht) ?-{2,}\s*",
    re.IGNORECASE,
)
RULE = re.compile(r"\s*_{10,}\s*")
HEADING = re.compile(
    r"[*\s]*(?:from|sent|date|to|subject|cc|de|enviado(?: el)?|fecha|para|asunto"
    r"|von|gesendet|an|betreff|envoyé|à|objet)\s?:",
    re.IGNORECASE,
)
FIRST_HEADING = re.compile(r"[*\s]*(?:from|de|von)\s?:.*[@\w]", re.IGNORECASE)
DEVICE = re.compile(
    r"\s*(?:sent from (?:my |outlook|yahoo|mail|proton|samsung)|get outlook for"
    r"|enviado desde (?:mi |outlook|yahoo)|obtener outlook para|envoyé de mon"
    r"|von meinem .{1,30} gesendet).{0,80}",
    re.IGNORECASE,
)
MAX_SIGNATURE_LINES = 8
"""Lines; what is longer is more than a signature."""


def split_lines(text: str) -> list[str]:
    """The lines of a text, whatever ends them."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ").split("\n")


def strip_quoted_text(text: str) -> str:
    """The text above, below and between quotes, without signature; it may be empty."""
    own = _without_signature(without_quotations(split_lines(text)))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(own)).strip()


def without_quotations(lines: list[str]) -> list[str]:
    """The lines above, below and between what well-known headers and marks show to be quoted."""
    end = next((at for at in range(len(lines)) if _begins_quoted(lines, at)), len(lines))
    own = [line for line in lines[:end] if not line.lstrip().startswith(">")]
    # Text below a part that is quoted line by line is the sender's own.
    if end < len(lines) and (after := _after_marked(lines, end)):
        own += ["", *after]
    return own


def _begins_quoted(lines: list[str], at: int) -> bool:
    """Whether from here on it is the mail that they answer."""
    line = lines[at]
    if SEPARATOR.fullmatch(line):
        return True
    if RULE.fullmatch(line):
        return any(_is_heading_block(lines, below) for below in range(at + 1, at + 3))
    return _is_heading_block(lines, at) or _attribution_length(lines, at) > 0


def _is_heading_block(lines: list[str], at: int) -> bool:
    """Outlook's way: From, Sent, To and Subject, one below the other."""
    if at >= len(lines) or not FIRST_HEADING.match(lines[at]):
        return False
    below = [line for line in lines[at + 1 : at + 8] if line.strip()]
    return sum(bool(HEADING.match(line)) for line in below[:4]) >= 2


def _attribution_length(lines: list[str], at: int) -> int:
    """How many lines "On … wrote:" takes from here: mail programs break it; 0 where it is none."""
    for length in (1, 2, 3):
        said = " ".join(lines[at : at + length])
        if len(said) <= 600 and ATTRIBUTION.fullmatch(said):
            below = lines[at + length : at + length + 5]
            following = next((line for line in below if line.strip()), "")
            is_sure = following.lstrip().startswith(">") or ATTRIBUTION_DETAIL.search(said)
            return length if is_sure else 0
    return 0


def _after_marked(lines: list[str], at: int) -> list[str]:
    """What follows quoted lines that each bear a mark; nothing where they bear none."""
    below = lines[at + max(_attribution_length(lines, at), 1) :]
    marked = [number for number, line in enumerate(below) if line.lstrip().startswith(">")]
    first = next((number for number, line in enumerate(below) if line.strip()), None)
    if not marked or first not in marked:
        return []
    return [line for line in below if not line.lstrip().startswith(">")]


def _without_signature(lines: list[str]) -> list[str]:
    end, below = len(lines), 0
    for at in range(len(lines) - 1, -1, -1):
        if lines[at].rstrip() == "--":
            end = at
        below += bool(lines[at].strip())
        if below > MAX_SIGNATURE_LINES:
            break
    while end and (not lines[end - 1].strip() or DEVICE.fullmatch(lines[end - 1])):
        end -= 1
    return lines[:end]


MARKUP = re.compile(
    r"<(?P<end>/?)(?P<tag>[a-z][a-z0-9:]*+)(?P<told>[^<>]*+)>|<!--|<[!?][^<>]*+>", re.IGNORECASE
)
UNSEEN = frozenset({"style", "script", "head", "title"})
QUOTING = frozenset({"div", "blockquote"})
BLOCKS = QUOTING | {
    "address", "article", "br", "dl", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "header",
    "footer", "hr", "li", "ol", "p", "pre", "section", "table", "tr", "ul",
}  # fmt: skip
QUOTE = re.compile(r"\b(?:gmail_quote|yahoo_quoted|moz-cite-prefix|protonmail_quote)")
OUTLOOK = re.compile(r"\bid=[\"']?divRplyFwdMsg\b", re.IGNORECASE)


def html_to_text(html: str) -> str:
    """The text of an HTML mail: a block is a line, and quoted lines are marked.

    It skips unknown elements and reads the mail once.
    """
    reading, at = _Reading(), 0
    while found := MARKUP.search(html, at):
        reading.hear(html[at : found.start()])
        at = found.end()
        if found[0] == "<!--":
            end = html.find("-->", at)
            at = end + 3 if end >= 0 else len(html)
        elif found["tag"]:
            reading.meet(found["tag"].lower(), found["told"], is_end=bool(found["end"]))
    reading.hear(html[at:])
    lines = (" ".join(line.split()) for line in "".join(reading.pieces).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


@dataclass
class _Reading:
    """What has been read of a page so far, and which elements are open."""

    pieces: list[str] = field(default_factory=list)
    unseen: int = 0
    quotes: int = 0
    opened: list[tuple[str, bool]] = field(default_factory=list)

    def hear(self, text: str) -> None:
        """The text between two tags; a line break in the source is a space."""
        if not self.unseen:
            self.pieces.append(unescape(text.replace("\n", " ")))

    def meet(self, tag: str, told: str, *, is_end: bool) -> None:
        """A tag and its attributes."""
        if tag in UNSEEN:
            self.unseen = max(0, self.unseen - 1) if is_end else self.unseen + 1
        elif tag in QUOTING:
            self._close(tag) if is_end else self._open(tag, told)
        if tag in BLOCKS:
            self.pieces.append("\n> " if self.quotes else "\n")
        if OUTLOOK.search(told):
            self.pieces.append(f"{'_' * 32}\n")

    def _open(self, tag: str, told: str) -> None:
        is_quote = tag == "blockquote" or bool(QUOTE.search(told))
        self.opened.append((tag, is_quote))
        self.quotes += is_quote

    def _close(self, tag: str) -> None:
        if any(name == tag for name, _ in self.opened[-50:]):
            closed = ""
            while closed != tag:
                closed, was_quote = self.opened.pop()
                self.quotes -= was_quote
