"""Write docs/texts.md: every text in every language, with its segments.

Run ``python -m tests.support.docs.sms_costs`` after a change of a text.
"""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

from portal.messaging.wording.lint import LintedText, TextLinter
from portal.messaging.wording.lint_samples import SAMPLE_VALUES
from portal.workflows import read_workflow_file, shipped_workflow_files

DOCUMENT = Path(__file__).parents[3] / "docs" / "texts.md"
READER = TextLinter("Acme Bank", "https://kept.example.com")

PREFACE = """\
# Every text, and what it costs

`python -m tests.support.docs.sms_costs` writes this page; `tests/messaging/wording/test_lint.py` fails when it
is out of date.

Segments are counted as a carrier bills them (GSM 03.38, 3GPP TS 23.040), with the long sample values of
`portal/messaging/wording/lint_samples.py`. Every English and Spanish text is GSM-7 and one segment. GSM-7 has no
á, í, ó or ú, so the Spanish texts use words without them, and [names are written in plain
letters](decisions/0035-a-text-is-true-on-a-later-day.md) where that saves a segment. An Arabic text is UCS-2, with at
most 70 letters in a single segment, and may have two segments. The test allows no exceptions.

Each text says who has the request, what comes next and by when. Times are dates with their weekday, so that they are
true on any day on which the text is read.

Where an Arabic text begins with other letters, such as the brand, a mark (U+200F) is put before it, so that a
phone shows it from right to left. The mark is counted here.

Carriers act on STOP, START and HELP, so these keywords are the same in every language. Kept also understands plain
Spanish and Arabic words for them.
"""


def document() -> str:
    """The whole page, as Markdown."""
    parts = [PREFACE, _table("Texts of the product", READER.product_texts())]
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
        for variant in sorted(written, key=lambda text: order.index(text.language)):
            segment_count, words = (
                variant.segment_count,
                variant.words.replace("\n", " ⏎ ").replace("|", "\\|"),
            )
            yield (
                f"| {name} | {variant.language} | {words} | {segment_count.encoding} | {segment_count.units} "
                f"| {segment_count.segments} |"
            )


def _name(written: LintedText) -> str:
    if not written.where:
        return written.what.partition("/")[2].removesuffix(".txt")
    name = written.what.partition(" has ")[0] if len(written.where) > 2 else "the workflow"
    return f"{name}, {written.where[-2]}"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
