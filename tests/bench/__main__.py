"""`python -m tests.bench [NAME...] [--option N]`: run benchmarks, or list them."""

import argparse
import importlib
import sys

BENCHES = {
    "page": "the status page, cached and uncached, compared with an empty Starlette response",
    "live": "an update to every viewer, compared with a minimal hub; memory of each viewer",
    "send": "texts per second at a provider that responds after 50 ms, compared with arq jobs",
    "hook": "receipts and inbound texts, compared with an empty response to a POST",
    "board": "boards, search and lists in a full database: time of the queries, first page and page 200",
    "watch": "a full database in which one request in a hundred is late: time until all are raised",
    "replies": "how replies are read: totals of each set, and each harmful reading",
    "weight": "bytes of the status page in each state and language, and of its scripts",
    "lighthouse": "the Lighthouse scores of the status page on a slow phone (needs npm and Chromium)",
    "idle": "memory, CPU and start of an idle `kept serve`",
    "commit": "commits on SQLite with synchronous=FULL, compared with NORMAL",
}


def main() -> int:
    """Run the named benchmarks, or list all."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Each benchmark prints the result of Kept beside a reference of the same run.",
        epilog="  ".join(f"{name}: {what}." for name, what in BENCHES.items()),
    )
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *BENCHES])
    parser.add_argument("--seconds", type=float, default=4.0, help="for each measured server")
    parser.add_argument("--viewers", type=int, default=2_000, help="live: open streams")
    parser.add_argument("--messages", type=int, default=4_000, help="send: texts")
    parser.add_argument("--requests", type=int, default=20_000, help="board: requests")
    parser.add_argument("--sqlite-only", action="store_true", help="without PostgreSQL")
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
