"""A simulation: whole requests, weeks long, on the real code in simulated time.

Operations, workers, gateways and the database are the product's own. The people, the carrier, the
mail server and the time are simulated.
"""
