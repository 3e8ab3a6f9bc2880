"""The bill of materials, the front-end files of others, the npm lock file, and no secret."""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
NPM_LOCK = ROOT / "tests/messaging/sms/segments_oracle/package-lock.json"

SECRETS = {
    "a private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s",
    "an AWS key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\bgh[oprsu]_[A-Za-z0-9]{36}\b",
    "a Slack token": r"\bxox[abprs]-[0-9A-Za-z-]{10,}",
    "a Stripe key": r"\b[rs]k_live_[0-9A-Za-z]{16,}",
    "a Twilio API key": r"\bSK[0-9a-f]{32}\b",
    "a Twilio token beside its account": r"\bAC[0-9a-f]{32}\b[^\n]{0,80}\b[0-9a-f]{32}\b",
}
"""Patterns of what must not be in the repository."""


@pytest.fixture(scope="module")
def bill():
    """What `bin/sbom` writes."""
    done = subprocess.run([sys.executable, ROOT / "bin/sbom"], capture_output=True, check=True)
    return json.loads(done.stdout)


def test_sbom_follows_the_rules_of_cyclonedx(bill):
    """The rules of the published JSON schema of CycloneDX 1.6 for the fields that it has."""
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    uuid = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    assert re.fullmatch(f"urn:uuid:{uuid}", bill["serialNumber"])
    everything = [bill["metadata"]["component"], *bill["components"]]
    for component in everything:
        assert component["type"] in {"application", "library"}
        assert component["purl"].endswith(f"/{component['name']}@{component['version']}")
        for item in component.get("hashes", []):
            assert item["alg"] == "SHA-256"
            assert re.fullmatch(r"[0-9a-f]{64}", item["content"])
    references = [component["bom-ref"] for component in everything]
    assert len(set(references)) == len(references)
    for item in bill["dependencies"]:
        assert {item["ref"], *item["dependsOn"]} <= set(references)
        assert len(set(item["dependsOn"])) == len(item["dependsOn"])


def test_sbom_names_every_package_with_its_hashes(bill):
    lock = (ROOT / "requirements.lock").read_text()
    pins = re.findall(r"^([a-z0-9._-]+)(?:\[[^]]*])?==([^ ;\\]+)", lock, re.MULTILINE)
    listed = {
        (component["name"], component["version"])
        for component in bill["components"]
        if component["hashes"]
    }
    vendored = {(part["name"], part["version"]) for part in PROJECT["tool"]["kept"]["vendored"]}
    assert listed == set(pins) | vendored


def test_sbom_says_what_needs_each_package(bill):
    needed = {each for item in bill["dependencies"] for each in item["dependsOn"]}
    assert needed == {component["bom-ref"] for component in bill["components"]}


def test_front_end_files_of_others_are_as_published():
    """Each minified script is listed with its version and its digest."""
    static = ROOT / "portal/static"
    listed = {part["file"]: part["sha256"] for part in PROJECT["tool"]["kept"]["vendored"]}
    assert listed == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in static.glob("*.min.js")
    }
    document = (ROOT / "docs/dependencies.md").read_text()
    for part in PROJECT["tool"]["kept"]["vendored"]:
        assert f"| `{part['file']}` | {part['name']} | {part['version']} |" in document


def test_npm_lock_pins_digests_and_names_no_registry():
    text = NPM_LOCK.read_text()
    assert "://" not in text
    packages = {name: each for name, each in json.loads(text)["packages"].items() if name}
    assert packages
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())
    steps = (ROOT / ".ci/run").read_text()
    assert "npm install" not in steps
    assert all("--ignore-scripts" in line for line in steps.splitlines() if "npm ci" in line)


def test_no_secret_is_in_the_repository():
    found = [
        f"{name}: {what}"
        for name in tracked_files()
        for what, pattern in SECRETS.items()
        if re.search(pattern, (ROOT / name).read_text(errors="ignore"))
    ]
    assert not found


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN " + "RSA PRIVATE KEY-----\nMII",
        "key = AKIA" + "Z" * 16,
        "SK" + "0a" * 16,
        "AC" + "1b" * 16 + ":" + "2c" * 16,
    ],
)
def test_scan_finds_a_secret(text):
    assert any(re.search(pattern, text) for pattern in SECRETS.values())


def tracked_files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 (the git of the path is meant)
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("this is no checkout of git")
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
