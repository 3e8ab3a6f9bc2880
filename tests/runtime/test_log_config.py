"""Logs have no personal data of customers."""

import pytest
import structlog

from portal.runtime.log_config import configure_logging


def test_traceback_shows_code_and_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    """A name or a link in a local variable stays out of the log."""
    customers_link = "/r/a-secret-token"
    configure_logging()
    try:
        int(customers_link[:3] + "no number")
    except ValueError:
        structlog.get_logger().exception("a message could not be handed over", message=7)
    finally:
        structlog.reset_defaults()
    said = capsys.readouterr().err
    assert "a message could not be handed over" in said
    assert "ValueError" in said
    assert "a-secret-token" not in said
