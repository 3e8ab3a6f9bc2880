"""Wishes for fewer messages: kept as what they are, shown and taken back on page and desk."""
