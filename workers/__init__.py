"""The worker's rounds, one file each: sending, follow-ups, detection and maintenance."""
