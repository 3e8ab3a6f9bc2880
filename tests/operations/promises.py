"""A request with a promise."""

from datetime import timedelta

from portal.models import Promise

SOON = timedelta(hours=3)


def the(request) -> Promise:
    [promise] = request.promises
    return promise
