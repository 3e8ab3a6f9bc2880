"""Small workflows for tests: the card, the permit and the repair of the sample organisation.

Departments here never close and their durations run always, so a test means the same at any hour;
what opening hours do is tested with the shipped workflows and a clock that stands still.
"""

CARD = """
key = "card"
name = "Credit card"
timezone = "America/New_York"
prefix = "CARD"

[departments.telesales]
name = "Telesales"
reply_within = "2h"

[departments.underwriting]
name = "Underwriting"
accept_within = "4h"

[departments.processing]
name = "Card Processing"
accept_within = "4h"

[departments.courier]
name = "Courier Desk"
accept_within = "4h"

[[stages]]
key = "received"
department = "telesales"
title = "We have your application"
expected = "4h"
grace = "2h"

[[stages]]
key = "decision"
department = "underwriting"
title = "Your application is being checked"
expected = "1d"
grace = "4h"

[[stages]]
key = "made"
department = "processing"
title = "Your card is being made"
expected = "3d"
grace = "4h"

[[stages]]
key = "courier"
department = "courier"
title = "Your card is on its way to you"
expected = "3d"
grace = "4h"

[[stages]]
key = "delivered"
department = "courier"
title = "Your card has been delivered"
expected = "1d"
grace = "4h"

[[follow_ups]]
after_stage = "delivered"
question = "Has your card arrived? Reply YES or NO."
yes = "complete"
no = { send_back = "courier" }
wrong = "person"
looking = "{owner} is looking for your card"
remind_after = "2d"
close_after = "30d"
"""

PERMIT = """
key = "permit"
name = "Building permit"
timezone = "America/Los_Angeles"
prefix = "PERM"

[departments.counter]
name = "Permit Counter"
[departments.fire]
name = "Fire Review"
accept_within = "4h"
[departments.plans]
name = "Plan Review"
[departments.zoning]
name = "Zoning"

[[stages]]
key = "intake"
department = "counter"
title = "We have your plans"
expected = "4h"

[[stages]]
key = "fire"
department = "fire"
title = "Fire safety is being reviewed"
expected = "2d"
after = ["intake"]

[[stages]]
key = "plans"
department = "plans"
title = "Your plans are being reviewed"
expected = "2d"
after = ["intake"]

[[stages]]
key = "zoning"
department = "zoning"
title = "Zoning is being reviewed"
expected = "2d"
after = ["intake"]

[[stages]]
key = "decision"
department = "counter"
title = "Your permit is being decided"
expected = "1d"
after = ["fire", "plans", "zoning"]
"""

REPAIR = """
key = "repair"
name = "Device repair"
prefix = "REP"

[departments.bench]
name = "Repair Bench"

[[stages]]
key = "diagnosis"
department = "bench"
title = "We are finding the fault"
expected = "1d"

[[stages]]
key = "quote"
department = "bench"
title = "Your quote is ready"
expected = "1d"
pauses_clock = true
question = "The repair costs 80 dollars. Shall we go ahead? Reply YES or NO."
yes = "complete"
no = { close = "declined" }
remind_after = "1d"
close_after = "3d"

[[stages]]
key = "mended"
department = "bench"
title = "Your device is being repaired"
expected = "2d"
"""

VISIT = """
key = "fibre"
name = "Fibre line"
prefix = "FBR"

[[stages]]
key = "date"
department = "bench"
title = "We are finding a day"
expected = "2d"
question = "When may our technician come?"
expects = "time"
yes = "complete"

[[stages]]
key = "visit"
department = "bench"
title = "Our technician is coming"
expected = "2d"
"""
"""The customer says when somebody comes. Tests load it themselves."""

ITEM = """
[[stages.needs]]
key = "plans"
title = "Floor plans, PDF"
help = "All floors, with sizes."
"""
SECOND_ITEM = """
[[stages.needs]]
key = "deed"
title = "Proof of ownership"
"""
DRAWINGS = """
key = "garage"
name = "Garage"
prefix = "BNDG"

[departments.counter]
name = "Permit Counter"

[departments.fire]
name = "Fire Review"

[[stages]]
key = "intake"
department = "counter"
title = "We have your application"
expected = "4h"

[[stages]]
key = "drawings"
department = "counter"
title = "We are waiting for your drawings"
expected = "30d"
pauses_clock = true
{items}
[[stages]]
key = "fire-review"
department = "fire"
title = "Fire safety is being reviewed"
expected = "2d"
"""
"""A permit for which the customer sends plans: ``items`` are what it needs. Tests load it."""

GARAGE = DRAWINGS.format(items=ITEM)
