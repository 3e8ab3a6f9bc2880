"""How a request moves through its stages, and the timeline that shows it. Pure."""
