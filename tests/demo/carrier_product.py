"""The numbers and the messaging service of the tests of the fake carrier."""

MARTIN = "+14155550132"


OURS = "+14155550100"


SERVICE = "MG" + "0" * 32
