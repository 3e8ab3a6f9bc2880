"""The conversation on a request page: its entries, their delivery, files, and the reply."""
