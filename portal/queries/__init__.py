"""Named selects as plain functions: what the rules and the pages ask of the database."""
