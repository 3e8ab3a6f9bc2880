"""Visits: windows are offered, booked, moved and cancelled, and a visit is announced."""
