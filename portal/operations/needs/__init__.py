"""What is needed from a customer: items that come, are checked, accepted or to be corrected."""
