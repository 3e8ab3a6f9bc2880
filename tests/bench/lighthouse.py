"""The Lighthouse scores of the status page of the demo, on a slow phone."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.runner import table
from tests.browser.chromium import QUIET, launch_options
from tests.browser.product import ProductProcess

VERSION = "lighthouse@12"
CATEGORIES = ("performance", "accessibility", "best-practices")
"""Not what search engines like: a page behind a secret link must not be found by them."""
RUNS = 3
"""A machine that has other work to do blocks the page as well: of these the middle one counts."""
FIGURES = {
    "first-contentful-paint": "first paint",
    "largest-contentful-paint": "largest paint",
    "total-blocking-time": "blocked",
    "cumulative-layout-shift": "layout shift",
    "speed-index": "speed index",
    "total-byte-weight": "bytes",
}


def run(options: Any) -> None:
    """Print the marks (100 is the most) and whatever keeps one from 100."""
    del options
    npx = shutil.which("npx")
    if npx is None:
        print("lighthouse: left out, since npm is missing here (apt-get install npm).")
        return
    try:
        chromium = str(launch_options()["executable_path"])
    except FileNotFoundError as missing:
        print(f"lighthouse: left out. {missing}")
        return
    with tempfile.TemporaryDirectory(prefix="kept-lighthouse-") as folder:
        demo = ProductProcess("demo", "--port", "0", folder=Path(folder), said=r"(http://\S+)/demo")
        demo.start()
        try:
            link = demo.wait_until_said(r"(http://\S+/r/\S+)")
            report = Path(folder) / "report.json"
            runs = [_audit(npx, chromium, link, report) for _ in range(RUNS)]
        finally:
            demo.stop()
    runs.sort(key=lambda told: _mark(told, "performance"))
    _print(runs[RUNS // 2])
    marks = ", ".join(str(_mark(told, "performance")) for told in runs)
    speed = max(told["environment"]["benchmarkIndex"] for told in runs)
    print(f"The median of {RUNS} runs. Performance in each: {marks}.")
    print(f"This machine's speed by Lighthouse's own measure: {speed:,.0f} at best.\n")


def _audit(npx: str, chromium: str, link: str, report: Path) -> dict[str, Any]:
    """Lighthouse's report: a phone's screen, its processor and its line, as Lighthouse has them."""
    subprocess.run(
        [
            npx, "--yes", VERSION, link, "--quiet", "--output=json", f"--output-path={report}",
            f"--only-categories={','.join(CATEGORIES)}",
            f"--chrome-flags={' '.join(['--headless=new', *QUIET])}",
        ],
        env={**os.environ, "CHROME_PATH": chromium},
        cwd=report.parent, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    told: dict[str, Any] = json.loads(report.read_text())
    return told


def _mark(told: dict[str, Any], category: str) -> int:
    return round(told["categories"][category]["score"] * 100)


def _print(told: dict[str, Any]) -> None:
    audits = told["audits"]
    marks = [[name, _mark(told, name)] for name in CATEGORIES]
    table(
        f"Lighthouse {told['lighthouseVersion']}, mobile, throttled", ["category", "of 100"], marks
    )
    figures = [[words, audits[name]["displayValue"]] for name, words in FIGURES.items()]
    table("The same, in figures", ["what", "value"], figures)
    short = [
        audits[ref["id"]]
        for name, mark in marks if mark < 100
        for ref in told["categories"][name]["auditRefs"]
        if ref["weight"] and (audits[ref["id"]]["score"] or 0) < 1
        and audits[ref["id"]]["scoreDisplayMode"] not in ("notApplicable", "manual", "informative")
    ]  # fmt: skip
    for audit in short:
        print(f"\nnot full: {audit['title']} {audit.get('displayValue', '')}")
        for item in (audit.get("details") or {}).get("items", [])[:5]:
            print(f"  {json.dumps(item)[:400]}")
    print()
