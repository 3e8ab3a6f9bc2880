"""The repository: hashed lock files without index URLs, import layers, scripts."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOCKS = ["requirements.lock", "requirements-build.lock", "requirements-dev.lock"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(lock):
    """The packages of a lock file with their hashes."""
    entries = re.split(r"^(?=[a-z0-9])", (ROOT / lock).read_text(), flags=re.MULTILINE)[1:]
    return {entry.partition("==")[0]: re.findall(r"--hash=(\S+)", entry) for entry in entries}


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_files_have_no_index_url(lock):
    """The package index is configured on each machine."""
    text = (ROOT / lock).read_text()
    assert not re.search(r"[a-z]+://|--(extra-)?index-url|--find-links|@ file", text)


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_files_pin_every_package_by_hash(lock):
    found = pins(lock)
    assert found
    for package, hashes in found.items():
        assert hashes, package
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes), package


def test_every_dependency_is_locked():
    groups = PROJECT["dependency-groups"]
    for names, lock in zip(
        (PROJECT["project"]["dependencies"], groups["build"], groups["dev"]), LOCKS, strict=True
    ):
        wanted = {re.split(r"[\[<>=;~ ]", name)[0] for name in names}
        assert wanted <= set(pins(lock)), lock


def test_run_lock_has_no_build_tool():
    run, build = (set(pins(lock)) for lock in LOCKS[:2])
    assert not {"hatchling", "editables", "trove-classifiers", "pathspec"} & run
    assert run & build <= {"packaging"}, "what both need has one version"


def test_dev_lock_contains_the_other_locks():
    """`bin/demo` after `bin/test` installs nothing."""
    run, build, test = (pins(lock) for lock in LOCKS)
    assert run.items() <= test.items()
    assert build.items() <= test.items()


def test_import_layers_hold():
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [lint, "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("script", ["bin/setup", "bin/demo", "bin/test", "bin/translate"])
def test_scripts_are_executable_posix_sh(script):
    path = ROOT / script
    assert path.read_text().startswith("#!/bin/sh\n")
    assert path.stat().st_mode & 0o111
    subprocess.run(["/bin/sh", "-n", path], check=True)


def test_pre_commit_hooks_are_local():
    """Every hook runs what the lock file installed."""
    words = (ROOT / ".pre-commit-config.yaml").read_text()
    assert re.findall(r"repo: (\S+)", words) == ["local"]
