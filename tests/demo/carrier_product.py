"""A webhook server in place of the product, for the fake carrier."""

MARTIN = "+14155550132"


OURS = "+14155550100"


SERVICE = "MG" + "0" * 32
