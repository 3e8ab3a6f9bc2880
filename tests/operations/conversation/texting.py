"""Texts of a customer, and what is recorded of them."""

from portal.models import Direction


async def heard_on(organisation, request):
    return [
        message.body
        for message in await organisation.messages()
        if message.direction == Direction.IN and message.request_id == request.id
    ]


async def last(organisation):
    return (await organisation.messages())[-1]
