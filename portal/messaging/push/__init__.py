"""Web Push: notifications that a customer's browser shows (RFC 8030, RFC 8291, RFC 8292)."""

PUSH_ID_PREFIX = "push:"
"""The beginning of the provider's id of a text that went as a notification."""
