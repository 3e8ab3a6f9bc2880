"""The worker's jobs, one file each: sending, follow-ups, detection and maintenance."""
