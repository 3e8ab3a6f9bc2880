"""The performance of Kept, compared with a reference in the same run on the same machine.

`python -m tests.bench` lists them; `python -m tests.bench NAME` runs one. Nothing here is part of
passing: times depend on the machine, ratios much less.
"""
