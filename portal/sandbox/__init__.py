"""Bounded child processes for the decoding of files and e-mails from strangers."""

from portal.sandbox.sandbox import FailureReason, Limits, Result, Sandbox, TaskFailed

__all__ = ["FailureReason", "Limits", "Result", "Sandbox", "TaskFailed"]
