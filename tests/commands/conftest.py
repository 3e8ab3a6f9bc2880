"""`kept` as a process, without the settings of this machine."""

import os
import subprocess
import sys

import pytest

from portal.settings import Settings


@pytest.fixture
def outside(tmp_path):
    """An environment without settings."""
    names = {Settings.environment_name(name) for name in Settings.model_fields}
    return {name: value for name, value in os.environ.items() if name not in names}


@pytest.fixture
def kept(tmp_path, outside):
    """Run `kept` in an empty folder."""

    def kept(*arguments, **variables):
        return subprocess.run(
            [sys.executable, "-m", "portal.cli", *arguments],
            cwd=tmp_path,
            env={**outside, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,  # a start takes half a minute on a busy machine
        )

    return kept
