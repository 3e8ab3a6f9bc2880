"""What was decided about a message is applied: rows, and at most one reply."""
