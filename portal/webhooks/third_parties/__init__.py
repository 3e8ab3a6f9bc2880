"""Webhooks about third parties: AfterShip, EasyPost, and systems of your own."""

from portal.webhooks.third_parties.endpoint import routes

__all__ = ["routes"]
