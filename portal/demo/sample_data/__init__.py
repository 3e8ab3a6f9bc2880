"""The made-up organisation: its staff, customers and requests, for the demo, tests and benchmarks.

Every sample request is made by the product's own operations, at the times of its scenario.
"""

from portal.demo.sample_data.seeder import SeededRequest, fill

__all__ = ["SeededRequest", "fill"]
