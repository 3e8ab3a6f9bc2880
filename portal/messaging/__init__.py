"""Words between us and customers: what they cost, how they travel, what a reply means."""
