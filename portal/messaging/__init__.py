"""Messages: wording, segments, providers, and the intent of replies."""
