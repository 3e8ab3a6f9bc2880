"""The conversation with a customer: messages are recorded, classified, answered or given to a person."""
