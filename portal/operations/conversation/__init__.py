"""The conversation with a customer: what they say is heard, understood, answered, kept."""
