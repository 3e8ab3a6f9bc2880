"""The text about a hold: until when, and why."""

from portal.messaging.wording.renderer import MessageRenderer, as_sentence
from portal.models import StageRun


def hold_fields(renderer: MessageRenderer, run: StageRun) -> dict[str, str]:
    """The reason of the hold, and the day on which it ends where that is known."""
    fields = {"reason": as_sentence(run.hold_reason)}
    if run.hold_until is not None:
        fields["due"] = renderer.times.day(renderer.on_open_day(run, run.hold_until))
    return fields


def render_hold(renderer: MessageRenderer, run: StageRun) -> str:
    """The reason and the day as far as one text has room for them; else where to read them."""
    fields, texts = hold_fields(renderer, run), [renderer.say("hold")]
    if fields["reason"]:
        texts.insert(0, renderer.say("hold_because", None, **fields))
    if "due" in fields:
        texts.insert(0, renderer.say("update_hold_until", run, **fields))
    return renderer.first_that_fits(*texts)
