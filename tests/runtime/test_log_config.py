"""Logs have no personal data of customers."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from portal.runtime.log_config import HANDLER, configure_logging


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    level = logging.root.level
    yield
    structlog.reset_defaults()
    (ours,) = (handler for handler in logging.root.handlers if handler.name == HANDLER)
    logging.root.removeHandler(ours)
    logging.root.setLevel(level)


def test_traceback_shows_code_and_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    """A name or a link in a local variable stays out of the log."""
    customers_link = "/r/a-secret-token"
    configure_logging()
    try:
        int(customers_link[:3] + "no number")
    except ValueError:
        structlog.get_logger().exception("a message could not be handed over", message=7)
    said = capsys.readouterr().err
    assert "a message could not be handed over" in said
    assert "ValueError" in said
    assert "a-secret-token" not in said
    assert "no number" not in said.replace('"no number"', ""), "nor the text of the exception"


def test_json_lines_have_level_event_and_process(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("json", "worker")
    structlog.get_logger().info("sending goes on", sender=1)
    logging.getLogger("portal.settings").warning("%s is now named %s", "OLD", "NEW")
    ours, library = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert (ours["level"], ours["event"], ours["process"]) == ("info", "sending goes on", "worker")
    assert (library["level"], library["event"]) == ("warning", "OLD is now named NEW")
    assert ours["pid"] == library["pid"]
