"""The supervisor, with small children: they are restarted, and end with it."""

import os
import select
import signal
import subprocess
import sys

import pytest

from portal.runtime.supervisor import SHUTDOWN_SECONDS, Child
from workers import worker

SUPERVISOR = """
import sys
import portal.runtime.supervisor as module
from portal.runtime.supervisor import Child, Supervisor
reports_ready = "report_ready" in "".join(sys.argv)
if reports_ready:
    module.STABLE_AFTER_SECONDS = 0.0  # how long a child runs must not count
sys.exit(Supervisor(
    [Child("child", [sys.executable, "-c", child], reports_ready=reports_ready)
     for child in sys.argv[2:]],
    grace=float(sys.argv[1]),
).run())
"""
# In one write, so that the words of two children never mix.
WAITS = "import os, signal; os.write(1, b'%d\\n' % os.getpid()); signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + WAITS
POLITE = (
    "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(print('bye')));" + WAITS
)
BROKEN = "raise SystemExit(3)"
NEVER_READY = "# report_ready is not called\nraise SystemExit(3)"
READY_THEN_BROKEN = """
import os
from portal.runtime.readiness import report_ready, take_ready_pipe
report_ready(take_ready_pipe())
os.write(1, b"%d\\n" % os.getpid())
raise SystemExit(3)
"""

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="waits for processes by pidfd, which Linux has"
)


@pytest.fixture
def supervise():
    """Start a supervisor of these children in a process of its own."""
    started = []

    def supervise(*children, grace=10.0, ignoring=()):
        process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR, str(grace), *children],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,  # so that what select sees is all that is left to read
            preexec_fn=lambda: [signal.signal(each, signal.SIG_IGN) for each in ignoring],  # noqa: PLW1509
        )
        started.append(process)
        return process

    yield supervise
    for process in started:
        process.kill()
        process.communicate()


def next_pid(supervisor):
    """The pid that the next child prints."""
    ready, _, _ = select.select([supervisor.stdout], [], [], 10)
    assert ready, "no child has started"
    return int(supervisor.stdout.readline())


def has_ended(watched):
    """Whether it ends within ten seconds."""
    ended, _, _ = select.select([watched], [], [], 10)
    os.close(watched)
    return bool(ended)


def test_killed_child_is_restarted(supervise):
    supervisor = supervise(WAITS)
    first = next_pid(supervisor)
    os.kill(first, signal.SIGKILL)
    assert next_pid(supervisor) != first


def test_repeatedly_killed_child_is_always_restarted(supervise):
    supervisor = supervise(WAITS)
    for _ in range(4):
        os.kill(next_pid(supervisor), signal.SIGKILL)
    assert next_pid(supervisor)
    assert supervisor.poll() is None


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_stop_signal_ends_every_child_cleanly(supervise, stop):
    supervisor = supervise(POLITE, POLITE)
    children = [os.pidfd_open(next_pid(supervisor)) for _ in range(2)]
    supervisor.send_signal(stop)
    said, _ = supervisor.communicate(timeout=10)
    assert supervisor.returncode == 0
    assert said.split() == [b"bye", b"bye"]
    assert all(has_ended(child) for child in children)


def test_sigint_works_although_ignored_by_the_shell(supervise):
    """A shell starts a background job with SIGINT ignored, and children inherit that."""
    supervisor = supervise(WAITS, ignoring=[signal.SIGINT])
    child = os.pidfd_open(next_pid(supervisor))
    supervisor.send_signal(signal.SIGINT)
    assert supervisor.wait(timeout=10) == 0
    assert has_ended(child)


def test_stuck_child_is_killed_after_the_grace(supervise):
    supervisor = supervise(STUBBORN, grace=0.2)
    child = os.pidfd_open(next_pid(supervisor))
    supervisor.terminate()
    assert supervisor.wait(timeout=10) == 0
    assert has_ended(child)


def test_second_signal_kills_immediately(supervise):
    supervisor = supervise(POLITE, STUBBORN, grace=60)
    children = [os.pidfd_open(next_pid(supervisor)) for _ in range(2)]
    supervisor.terminate()
    # Signals that arrive together count as one; it is told until it has heard twice.
    while supervisor.poll() is None:
        supervisor.terminate()
        try:
            supervisor.wait(timeout=0.05)
        except subprocess.TimeoutExpired:
            continue
    assert all(has_ended(child) for child in children)


def test_killed_supervisor_leaves_no_orphan(supervise):
    supervisor = supervise(WAITS, STUBBORN)
    children = [os.pidfd_open(next_pid(supervisor)) for _ in range(2)]
    supervisor.kill()
    assert all(has_ended(child) for child in children)


def test_child_that_never_starts_is_reported_and_stops_the_others(supervise):
    supervisor = supervise(WAITS, BROKEN)
    child = os.pidfd_open(next_pid(supervisor))
    _, said = supervisor.communicate(timeout=20)
    assert supervisor.returncode == 1
    assert (
        b"child does not start: it ended with code 3, 3 times in a row before it was ready" in said
    )
    assert has_ended(child)


def test_child_that_runs_but_is_never_ready_is_given_up(supervise):
    """A slow start that fails is a failed start, however long it takes."""
    supervisor = supervise(NEVER_READY)
    _, said = supervisor.communicate(timeout=30)
    assert supervisor.returncode == 1
    assert said.count(b"it is started again") == 2
    assert said.count(b"child does not start") == 1


def test_child_that_was_ready_is_always_restarted(supervise):
    supervisor = supervise(READY_THEN_BROKEN)
    assert len({next_pid(supervisor) for _ in range(4)}) == 4
    assert supervisor.poll() is None


def test_child_that_ends_soon_after_it_was_ready_is_restarted_after_longer_and_longer_pauses():
    """``now`` is given, so that neither the pauses nor a slow machine count."""
    child = Child("child", [sys.executable, "-c", READY_THEN_BROKEN], reports_ready=True)
    pauses = []
    for _ in range(4):
        child.start()
        child.process.wait()
        pauses.append(child.restart_if_due(child._started_at + 1))
        child._rests_until = None
    assert pauses == pytest.approx([0.2, 0.4, 0.8, 1.6])
    assert not child.has_failed
    child.start()
    child.process.wait()
    assert child.restart_if_due(child._started_at + 60) == pytest.approx(0.1)


def test_supervisor_waits_longer_than_a_worker_needs():
    assert worker.SHUTDOWN_SECONDS + worker.MIN_FINISH_SECONDS < SHUTDOWN_SECONDS
