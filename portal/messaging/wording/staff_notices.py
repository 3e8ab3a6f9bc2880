"""Mail to staff about dropped balls and withdrawn requests: references and stages, nothing of the customer."""

from collections.abc import Sequence

from portal.models import DroppedBall, EscalationLevel

MAX_LISTED_BALLS = 25
ESCALATION_NOTES = {
    EscalationLevel.OWNER: "",
    EscalationLevel.LEAD: " Escalated to you as team lead.",
    EscalationLevel.MANAGER: " Escalated to you as manager.",
}


def render_notice(balls: Sequence[tuple[str, DroppedBall]]) -> tuple[str, str]:
    """The subject and the body, a paragraph for each pair of a reference and its ball."""
    reference, first = balls[0]
    summary = f"{reference}: {first.detail}" if reference else first.detail
    subject = summary if len(balls) == 1 else f"{len(balls)} items need your attention"
    paragraphs = [_line(reference, ball) for reference, ball in balls[:MAX_LISTED_BALLS]]
    if len(balls) > MAX_LISTED_BALLS:
        paragraphs.append(f"And {len(balls) - MAX_LISTED_BALLS} more.")
    return subject, "\n\n".join(paragraphs)


def render_withdrawal(reference: str) -> tuple[str, str]:
    """The subject and the body for whoever has work of a request that its customer has withdrawn."""
    subject = f"{reference}: withdrawn by the customer"
    return subject, f"{subject}. It is cancelled; please stop what is under way for it."


def _line(reference: str, ball: DroppedBall) -> str:
    named = f"{reference}: " if reference else ""
    return f"{named}{ball.detail}{ESCALATION_NOTES[ball.level]}"
