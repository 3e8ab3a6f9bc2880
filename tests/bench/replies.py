"""How replies are read: harmful, acceptable, needlessly handed over, swallowed, wishes to stop.

The frozen sets print totals and each harmful reading, and nothing else: whoever writes rules does
not see them. ``tests/corpus/README.md`` says how they were written.
"""

from typing import Any

from tests.support.reply_sets import CORPUS, LANGUAGES, Totals, count, judge, read_set

TITLES = {
    "practice": "Practice, known to the writers of the rules",
    "blind/1": "First blind set",
    "blind/2": "Second blind set",
    "blind/3": "Third blind set",
    "blind/4": "Fourth blind set",
}
HEADINGS = ("replies", "harmful", "acceptable", "needless", "swallowed", "recall", "precision")


def run(options: Any) -> None:
    """Print the totals of each set, and each harmful reading."""
    for folder, title in TITLES.items():
        print(f"\n{title}\n  {'':8}" + "".join(f"{heading:>11}" for heading in HEADINGS))
        for path in sorted((CORPUS / folder).glob("replies*.csv")):
            name = path.name.removeprefix("replies").removesuffix(".csv").strip(".")
            language = next(code for code in LANGUAGES if name.endswith(code))
            judged = judge(read_set(path), language)
            print(f"  {name:8}" + _line(count(judged)))
            for each in judged:
                if each.is_harmful:
                    print(
                        f"    {each.reply.text!r} to {each.reply.question}: read as {each.reading},"
                        f" is {each.reply.right} (because: {each.intent.because!r})"
                    )


def _line(totals: Totals) -> str:
    return (
        f"{totals.replies:11}{totals.harmful:11}{totals.acceptable:11.1%}{totals.needless:11.1%}"
        f"{totals.swallowed:11}{totals.stop_recall:11.1%}{totals.stop_precision:11.1%}"
    )
