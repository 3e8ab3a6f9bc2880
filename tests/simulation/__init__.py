"""A thousand requests: whole lives against the real code, in days that pass in seconds.

The relay's verbs, the worker's duties, the doors and the database are the product's own. Invented
are only the people, the carrier, the mail server and the time.
"""
