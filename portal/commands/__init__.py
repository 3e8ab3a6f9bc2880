"""What the `kept` commands do after parsing: one file for each noun."""
