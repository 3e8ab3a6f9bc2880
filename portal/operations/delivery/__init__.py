"""What becomes of our messages: outcomes, receipts, another try, another way, a person."""
