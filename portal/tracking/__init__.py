"""What customers see: the page behind the link, and finding the way to it."""
