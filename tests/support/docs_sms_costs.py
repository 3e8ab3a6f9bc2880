"""What every text costs in every language, as docs/texts.md shows it.

Write that anew with ``python -m tests.support.docs_sms_costs``, after a change of words.
"""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

from portal.messaging.wording.lint import LintedText, TextLinter
from portal.messaging.wording.lint_samples import SAMPLE_VALUES
from portal.workflows import read_workflow_file, shipped_workflow_files

DOCUMENT = Path(__file__).parents[2] / "docs" / "texts.md"
READER = TextLinter("Acme Bank", "https://kept.example.com")

PREFACE = """\
# Every text, and what it costs

Written by `python -m tests.support.docs_sms_costs`; a test holds that it is true.

A text is weighed as a carrier bills it (GSM 03.38, 3GPP TS 23.040), with long names put in: see
`portal/messaging/wording/lint_samples.py`. English and Spanish stay within GSM-7 and one segment: so Spanish is
written here with words that need no á, í, ó or ú, which GSM-7 has not. Arabic has 70 letters a
segment and may take two. There are no exceptions.

Where an Arabic text begins with other letters, such as our name, one mark (U+200F) goes before it,
so that a phone lays it out from the right; it is counted here. Names inside need no marks of their
own: laid out from the right they stand where they were said, and a link stands at the end.

STOP, START and HELP are what carriers act on, and so stand in every language as they are; plain
Spanish and Arabic words for them are understood as well.
"""


def document() -> str:
    """The whole page."""
    parts = [PREFACE, _table("Our own sentences", READER.product_texts())]
    for path in shipped_workflow_files():
        workflow = read_workflow_file(path)
        parts.append(_table(f"{workflow.name} (as shipped)", READER.workflow_texts(workflow)))
    return "\n".join(parts)


def _table(title: str, texts: Iterable[LintedText]) -> str:
    return "\n".join([
        f"## {title}\n",
        "| | | text | alphabet | letters | segments |",
        "| --- | --- | --- | --- | --: | --: |",
        *_rows(texts),
        "",
    ])  # fmt: skip


def _rows(texts: Iterable[LintedText]) -> Iterator[str]:
    for name, written in itertools.groupby(texts, key=_name):
        order = list(SAMPLE_VALUES)
        for one in sorted(written, key=lambda text: order.index(text.language)):
            segment_count, words = (
                one.segment_count,
                one.words.replace("\n", " ⏎ ").replace("|", "\\|"),
            )
            yield (
                f"| {name} | {one.language} | {words} | {segment_count.encoding} | {segment_count.units} "
                f"| {segment_count.segments} |"
            )


def _name(written: LintedText) -> str:
    if not written.where:
        return written.what.partition("/")[2].removesuffix(".txt")
    return written.what.partition(" has ")[0] + f", {written.where[2]}"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
