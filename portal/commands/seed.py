"""`kept seed`: sample data in the database of these settings."""

from portal.commands.runner import run_operation
from portal.demo.sample_data import fill
from portal.errors import Conflict
from portal.operations import Operations
from portal.settings import Settings

LINKS_PRINTED = 5
"""The number of printed links; the desk shows the rest."""


def seed(settings: Settings, requests: int, number: int) -> list[str]:
    """Add the sample staff and this number of requests. Raises Conflict beside the real Twilio."""
    if settings.sends_texts and settings.twilio_api_url is None:
        raise Conflict(
            "Sample customers are made up, so they are not added beside a real provider: "
            "unset every TWILIO_ setting first."
        )

    async def live(operations: Operations) -> list[str]:
        samples = await fill(operations, requests, number)
        remaining = len(samples) - LINKS_PRINTED
        return [
            f"{len(samples)} requests have been added. Customers' pages:",
            *(
                f"{sample.link}  {sample.name}, {sample.title}"
                for sample in samples[:LINKS_PRINTED]
            ),
            *([f"and {remaining} more, at the desk."] if remaining > 0 else []),
            "To sign in at the desk: kept staff add YOUR-EMAIL --name YOU --role manager",
        ]

    return run_operation(settings, live)
