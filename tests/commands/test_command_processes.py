"""Commands that end by themselves, as processes on a real database."""

import re
import sqlite3
import subprocess
import sys

import pytest

GOOD = """
key = "lost-key"
name = "Lost key"
[departments.desk]
name = "Front Desk"
[[stages]]
key = "looking"
department = "desk"
title = "We are looking for your key"
expected = "1d"
"""
SECRET_KEY = "a secret that only the tests know"
REFERS = GOOD.replace("lost-key", "lost-hat").replace('[departments.desk]\nname = "Front Desk"', "")


def refused(done):
    """Exit code 1 and one sentence on stderr, without a traceback."""
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("kept: ")
    return done.stderr


def test_empty_folder_to_customer_link_by_commands(kept, tmp_path):
    """On one machine the commands create the database."""
    (tmp_path / "key.toml").write_text(GOOD)
    assert "kept workflow load" in kept("workflow", "list").stdout
    loaded = kept("workflow", "load", "key.toml", "device-repair")
    assert loaded.stdout.splitlines()[-2:] == [
        "lost-key: version 1 is in use.",
        "device-repair: version 1 is in use.",
    ], loaded.stderr
    opening = ("open", "--workflow", "lost-key", "--name", "Martin", "--phone", "+1 415 555 0132")
    assert "Nobody works in Front Desk yet" in refused(kept(*opening))

    added = kept(
        "staff", "add", "Ana@Example.com", "--name", "Ana", "--department", "desk", "--lead"
    )
    assert re.fullmatch(
        r"Ana .+\nhttp://127.0.0.1:8000/desk/invitations/[\w-]{20,}\n", added.stdout
    )
    assert "ana@example.com: Ana, agent, desk (lead)" in kept("staff", "list").stdout
    signed_in = kept("staff", "sign-ins", "ana@example.com").stdout
    assert re.fullmatch(
        r"ana@example.com: Ana\n  \d{4}-\d\d-\d\dT\d\d:\d\dZ Invited by \S.+\n", signed_in
    )
    assert "Nobody at the desk" in refused(kept("staff", "sign-ins", "eve@example.com"))
    assert "There is no department 'cellar'" in refused(
        kept("staff", "add", "b@example.com", "--name", "B", "--department", "cellar")
    )
    assert "no role 'king'" in refused(
        kept("staff", "add", "b@example.com", "--name", "B", "--role", "king")
    )

    opened = kept(*opening, "--external-id", "7")
    reference, link = opened.stdout.splitlines()
    assert re.fullmatch(r"[A-Z]+-\w{4}-\w{3}", reference)
    assert link.startswith("http://127.0.0.1:8000/r/")
    assert f"as {reference}" in refused(kept(*opening, "--external-id", "7"))
    with sqlite3.connect(tmp_path / "data" / "kept.db") as database:
        texts = database.execute("SELECT to_address, status, body FROM message").fetchall()
    ((to, status, body),) = texts
    assert (to, status) == ("+14155550132", "queued")
    assert link in body
    left = refused(kept("staff", "disable", "ana@example.com"))
    assert "Nobody works in Front Desk" in left, "nobody leaves with work in hand"


def test_invalid_file_reports_each_issue_with_its_line_and_loads_nothing(kept, tmp_path):
    (tmp_path / "good.toml").write_text(GOOD)
    wrong = GOOD.replace('"1d"', '"soon"').replace('department = "desk"', 'department = "dsek"')
    (tmp_path / "bad.toml").write_text(wrong)
    said = refused(kept("workflow", "load", "good.toml", "bad.toml", "missing.toml"))
    assert "3 mistakes to put right; nothing was loaded." in said
    assert re.search(r'^bad.toml:8: .*"dsek"', said, re.MULTILINE)
    assert re.search(r"^bad.toml:10: .*soon", said, re.MULTILINE)
    assert "missing.toml: cannot be read" in said
    assert "lost-key" not in kept("workflow", "list").stdout


def test_costly_wording_is_a_warning_unless_strict(kept, tmp_path):
    """`check` and `load` warn of the cost of a text; with `--strict` they fail."""
    (tmp_path / "key.toml").write_text(GOOD.replace("your key", "your key, " + 12 * "really "))
    told = kept("workflow", "check", "key.toml")
    assert told.returncode == 0
    warning, good = told.stdout.splitlines()
    assert re.match(
        r'key.toml:9: warning: stage "looking" has a "title" that costs 2 segm', warning
    )
    assert good.startswith("key.toml: good.")
    said = refused(kept("workflow", "load", "--strict", "key.toml"))
    assert "1 warning to put right" in said
    assert "key.toml:9: stage" in said
    assert "lost-key" not in kept("workflow", "list").stdout


def test_workflow_files_share_departments(kept, tmp_path):
    (tmp_path / "a.toml").write_text(REFERS)
    (tmp_path / "b.toml").write_text(GOOD)
    assert '"desk"' in refused(kept("workflow", "check", "a.toml"))
    done = kept("workflow", "check", "a.toml", "b.toml")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "data" / "kept.db").exists(), "checking makes nothing"


def test_api_key_is_shown_once_and_rejected_after_revocation(kept):
    made = kept("apikey", "create", "billing")
    assert re.fullmatch(r"kept_[\w-]{20,}\n", made.stdout)
    assert "already" in refused(kept("apikey", "create", "billing"))
    assert "billing: made on" in (listed := kept("apikey", "list").stdout)
    assert made.stdout.strip() not in listed
    assert kept("apikey", "revoke", "billing").returncode == 0
    assert "revoked already" in refused(kept("apikey", "revoke", "billing"))
    assert "no key named 'x'" in refused(kept("apikey", "revoke", "x"))


def test_seed_creates_the_given_number_of_requests(kept, tmp_path):
    done = kept("seed", "--requests", "6", "--seed", "3")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("6 requests have been added.")
    with sqlite3.connect(tmp_path / "data" / "kept.db") as database:
        assert database.execute("SELECT count(*) FROM service_request").fetchone() == (6,)


def test_seed_refuses_to_run_with_a_real_provider(kept):
    twilio = {
        "TWILIO_ACCOUNT_SID": "AC1",
        "TWILIO_AUTH_TOKEN": "token",
        "TWILIO_FROM_NUMBER": "+14155550132",
    }
    assert "real provider" in refused(kept("seed", **twilio))


def test_unreachable_database_is_one_sentence(kept):
    away = {"DATABASE_URL": "postgresql://a:b@127.0.0.1:1/kept", "KEPT_SECRET_KEY": SECRET_KEY}
    for command in (["migrate"], ["staff", "list"]):
        assert "The database cannot be reached" in refused(kept(*command, **away))
    assert "Database: it does not answer" in kept("doctor", **away).stdout


@pytest.mark.postgres
def test_postgres_is_migrated_once_and_only_by_kept_migrate(kept, outside, postgres, tmp_path):
    postgres.create("fresh")
    try:
        told = {"DATABASE_URL": postgres.url("fresh"), "KEPT_SECRET_KEY": SECRET_KEY}
        assert "run `kept migrate`" in refused(kept("staff", "list", **told))
        assert "run `kept migrate`" in kept("doctor", **told).stdout
        together = [
            subprocess.Popen(
                [sys.executable, "-m", "portal.cli", "migrate"],
                env={**outside, **told},
                cwd=tmp_path,
            )
            for _ in range(3)
        ]
        assert [process.wait(60) for process in together] == [0, 0, 0]
        assert "Nobody yet" in kept("staff", "list", **told).stdout
    finally:
        postgres.drop("fresh")


def test_concurrent_migration_of_one_file_is_safe(outside, tmp_path):
    together = [
        subprocess.Popen([sys.executable, "-m", "portal.cli", "migrate"], env=outside, cwd=tmp_path)
        for _ in range(3)
    ]
    assert [process.wait(60) for process in together] == [0, 0, 0]


def test_demo_refuses_to_empty_a_foreign_folder(kept, tmp_path):
    precious = tmp_path / "thesis"
    precious.mkdir()
    (precious / "chapter-1").write_text("words")
    said = refused(kept("demo", "--port", "0", "--data-dir", str(precious)))
    assert "choose another with --data-dir" in said
    assert [path.name for path in precious.iterdir()] == ["chapter-1"]
