"""How many parts a text is sent in, by the carrier's own count.

GSM 03.38: 160 septets, or 153 in each part; a character of the extension table takes two and is
not split across parts. Anything else makes the whole text UCS-2: 70 units, or 67 in each part,
and a surrogate pair is not split.
"""

GSM7_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_EXTENSION = frozenset("^{}\\[~]|€\f")


def count_segments(body: str) -> int:
    """The number of parts; an empty text is one part."""
    if GSM7_BASIC.issuperset(body):
        sizes, whole, part = [1] * len(body), 160, 153
    elif (GSM7_BASIC | GSM7_EXTENSION).issuperset(body):
        sizes, whole, part = [2 if c in GSM7_EXTENSION else 1 for c in body], 160, 153
    else:
        sizes, whole, part = [2 if ord(c) > 0xFFFF else 1 for c in body], 70, 67
    if sum(sizes) <= whole:
        return 1
    parts, room = 1, part
    for size in sizes:
        if size > room:
            parts, room = parts + 1, part
        room -= size
    return parts
