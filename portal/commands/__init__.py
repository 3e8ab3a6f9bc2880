"""What the `kept` commands do once their words have been read: one file for each noun."""
