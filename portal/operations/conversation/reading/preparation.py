"""What replies are read by is itself read once in a process, away from its event loop."""

import asyncio
from functools import cache

from portal.messaging.intents import language
from portal.messaging.intents.classifier import Question, classify
from portal.messaging.sms.automatic_texts import automatic_wordings
from portal.messaging.sms.reactions import reaction_words


async def reading_is_ready() -> None:
    """Return once all languages are read; the first caller waits one to three seconds for them.

    Whoever takes a customer's message calls it before the transaction, so that neither the event
    loop nor a lock waits.
    """
    if not _read_everything.cache_info().currsize:
        await asyncio.to_thread(_read_everything)


@cache
def _read_everything() -> None:
    language.preload(language.LANGUAGES)
    language.time_lists()
    reaction_words()
    automatic_wordings()
    for code in set(language.LANGUAGES.values()):
        # The first text of each language and question works out the beginnings of the phrases.
        for question in Question:
            classify("OK", question, code)
