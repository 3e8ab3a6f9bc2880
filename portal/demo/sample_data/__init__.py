"""Lifelike people, customers and requests, for the demonstration and for trying things out.

Nothing here is written behind the rules' back: every life is lived by the relay's own verbs, at
the moments at which it would have happened.
"""

from portal.demo.sample_data.seeder import SeededRequest, fill

__all__ = ["SeededRequest", "fill"]
