"""What is read of a text before it is classified: texts that a phone wrote, and our own words."""
