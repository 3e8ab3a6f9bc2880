"""What a text of ours may cost."""

from portal.i18n.languages import language_of
from portal.messaging.sms.bidi import with_direction_mark
from portal.messaging.sms.gsm_text import to_gsm7
from portal.messaging.sms.plain_names import with_plain_names
from portal.messaging.sms.segments import count_segments


def fits_one_text(text: str, locale: str) -> bool:
    """Whether it costs one segment as a text, or two in a language with 70 letters to a segment."""
    sent = with_plain_names(with_direction_mark(to_gsm7(text), locale))
    most = 2 if language_of(locale).direction == "rtl" else 1
    return count_segments(sent).segments <= most
