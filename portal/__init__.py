"""Kept: customers follow a request through an organisation; staff move it on at a desk."""

import zoneinfo

# One list of time zones for every process, on every machine: that of the package tzdata. A name that
# only this machine knows, such as "localtime" on Debian, could not be read by another machine.
zoneinfo.reset_tzpath(to=())
