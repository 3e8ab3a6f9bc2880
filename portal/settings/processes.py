"""How the processes work: intervals, pools, logs and metrics.

docs/settings.md repeats every description; a test compares them.
"""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings


class ProcessSettings(BaseSettings):
    """The intervals of the workers, and metrics."""

    reconcile_seconds: float = Field(
        120,
        gt=0,
        allow_inf_nan=False,
        validation_alias="KEPT_RECONCILE_SECONDS",
        description="Seconds between two look-ups of a text whose outcome is unknown.",
    )
    receipt_poll_seconds: float = Field(
        900,
        gt=0,
        allow_inf_nan=False,
        validation_alias="KEPT_RECEIPT_POLL_SECONDS",
        description="Seconds without a delivery receipt after which the worker asks the carrier "
        "for the status of a text; it asks again each time the text is twice as old, for three "
        "days.",
    )
    sweep_seconds: float = Field(
        2,
        gt=0,
        allow_inf_nan=False,
        validation_alias="KEPT_SWEEP_SECONDS",
        description="Seconds between two sweeps for due messages.",
    )
    log_format: Literal["text", "json"] = Field(
        "text",
        validation_alias="KEPT_LOG_FORMAT",
        description="How web and worker log to stderr: `text`, or `json` (one object a line, with "
        "the process).",
    )
    metrics: bool = Field(
        default=False,
        validation_alias="KEPT_METRICS",
        description="Whether `/metrics` is served on the web port, where customers can read it.",
    )
