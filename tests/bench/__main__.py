"""`python -m tests.bench [NAME...] [--option N]`: run benchmarks, or say which there are."""

import argparse
import importlib
import sys

BENCHES = {
    "page": "the customer's page, kept and drawn anew, beside an empty Starlette answer",
    "live": "a change told to all who watch, beside a bare hub; memory for each of them",
    "send": "texts a second at a provider that answers in 50 ms, beside an arq job for each",
    "hook": "receipts and inbound texts, beside an empty answer to a POST",
    "board": "boards, search and lists in a full database: time in it, first page and page 200",
    "watch": "a full database in which one in a hundred slips at once: how soon all is raised",
    "consent": "wishes to stop known from their look-alikes: precision and recall",
    "replies": "what replies mean: accuracy by class and language, on the corpus and held out",
    "weight": "bytes of the customer's page in each state and language, and of its scripts",
    "lighthouse": "what Lighthouse says of it on a slow phone (needs npm and Chromium)",
    "idle": "memory, processor and start of `kept serve` with nothing to do",
}


def main() -> int:
    """Run the benchmarks that are named."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Each prints ours beside a reference of the same run.",
        epilog="  ".join(f"{name}: {what}." for name, what in BENCHES.items()),
    )
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *BENCHES])
    parser.add_argument("--seconds", type=float, default=4.0, help="for each measured server")
    parser.add_argument("--viewers", type=int, default=2_000, help="live: open streams")
    parser.add_argument("--messages", type=int, default=4_000, help="send: texts")
    parser.add_argument("--requests", type=int, default=20_000, help="board: requests")
    parser.add_argument("--sqlite-only", action="store_true", help="leave PostgreSQL out")
    options = parser.parse_args()
    if not options.names:
        for name, what in BENCHES.items():
            print(f"  {name:10} {what}")
        return 0
    for name in options.names:
        importlib.import_module(f"tests.bench.{name}").run(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
