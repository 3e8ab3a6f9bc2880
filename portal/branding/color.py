"""The brand's colour: its contrast as text and as background, and the shades derived from it.

Contrast ratios as in WCAG 2.2: 4.5 is enough for text of any size (AA).
"""

import colorsys
import re
from dataclasses import dataclass
from typing import Self

MIN_CONTRAST = 4.5
COMFORTABLE_CONTRAST = 7.0
"""The contrast of the dark scheme's colour where it is derived."""
HEX = re.compile(r"#?([0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Color:
    """An sRGB colour, each channel from 0 to 255."""

    red: int
    green: int
    blue: int

    @classmethod
    def read(cls, text: str) -> Self:
        """``#0b5f5a``, with or without the #, or ``#abc``. Raises ValueError."""
        match = HEX.fullmatch(text.strip())
        if match is None:
            msg = "must be a colour such as #0b5f5a, or two with a comma: by day and by night."
            raise ValueError(msg)
        digits = match[1] if len(match[1]) == 6 else "".join(digit * 2 for digit in match[1])
        return cls(*bytes.fromhex(digits))

    def __str__(self) -> str:
        """The colour in CSS notation."""
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"

    def contrast(self, other: "Color") -> float:
        """The contrast ratio, from 1 (equal) to 21 (black on white)."""
        darker, lighter = sorted((self.luminance, other.luminance))
        return (lighter + 0.05) / (darker + 0.05)

    def blended_on(self, background: "Color", share: float) -> "Color":
        """Blend it into a background with this share of opacity."""
        pairs = zip(self.channels, background.channels, strict=True)
        return Color(
            *(
                round(channel * share + background_channel * (1 - share))
                for channel, background_channel in pairs
            )
        )

    def with_lightness(self, lightness: float) -> "Color":
        """The same hue with this lightness, from 0 (black) to 1 (white)."""
        hue, _, saturation = colorsys.rgb_to_hls(*(channel / 255 for channel in self.channels))
        channels = colorsys.hls_to_rgb(hue, lightness, saturation)
        return Color(*(round(channel * 255) for channel in channels))

    @property
    def lightness(self) -> float:
        """HLS lightness, from 0 (black) to 1 (white)."""
        return colorsys.rgb_to_hls(*(channel / 255 for channel in self.channels))[1]

    @property
    def channels(self) -> tuple[int, int, int]:
        """Red, green and blue."""
        return self.red, self.green, self.blue

    @property
    def luminance(self) -> float:
        """Relative luminance (WCAG 2.2), from 0 (black) to 1 (white)."""
        linear = [
            channel / 12.92 if channel <= 0.03928 else ((channel + 0.055) / 1.055) ** 2.4
            for channel in (part / 255 for part in self.channels)
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


WHITE = Color(255, 255, 255)
LIGHT_PAPER, DARK_PAPER = Color.read("#faf7f2"), Color.read("#151310")
LIGHT_BACKGROUNDS = (LIGHT_PAPER, WHITE, Color.read("#fdf0e3"))
DARK_BACKGROUNDS = (DARK_PAPER, Color.read("#1f1c18"), Color.read("#33241a"))
"""The backgrounds of text in customer.css: page, card and warning."""


@dataclass(frozen=True, slots=True)
class Accent:
    """The brand's colour in the light and the dark scheme, each with enough contrast."""

    day: Color
    night: Color

    @classmethod
    def read(cls, text: str) -> Self:
        """One colour, or two with a comma; without a second, it is derived from the first.

        Raises ValueError, naming the nearest colour that can be read.
        """
        first, comma, second = text.partition(",")
        day = Color.read(first)
        if not _is_read_by_day(day):
            raise ValueError(_too_little("day", _nearest_for_day(day)))
        if not comma:
            return cls(day, _nearest_for_night(day, COMFORTABLE_CONTRAST))
        night = Color.read(second)
        if not _is_read_by_night(night):
            raise ValueError(_too_little("night", _nearest_for_night(night, MIN_CONTRAST)))
        return cls(day, night)

    def light_shades(self) -> dict[str, Color]:
        """The accent and its shades, by their names in customer.css."""
        return {"brand": self.day, "on": WHITE, "me": self.day, "wash": _day_wash(self.day)}

    def dark_shades(self) -> dict[str, Color]:
        """The same for the dark scheme."""
        shares = (share / 100 for share in range(40, 0, -5))
        shades = (self.night.blended_on(DARK_PAPER, share) for share in shares)
        return {
            "brand": self.night,
            "on": DARK_PAPER,
            "me": next(color for color in shades if WHITE.contrast(color) >= COMFORTABLE_CONTRAST),
            "wash": _night_wash(self.night),
        }

    def css(self) -> str:
        """CSS that follows customer.css and sets its colours."""
        day, night = (
            ";".join(f"--{name}:{color}" for name, color in shades.items())
            for shades in (self.light_shades(), self.dark_shades())
        )
        return f":root{{{day}}}@media (prefers-color-scheme:dark){{:root{{{night}}}}}"


def _too_little(when: str, nearest: Color) -> str:
    return (
        f"has too little contrast by {when} for words in it, or for words on it: "
        f"the nearest that works is {nearest}."
    )


def _day_wash(color: Color) -> Color:
    return color.blended_on(WHITE, 0.1)


def _night_wash(color: Color) -> Color:
    return color.blended_on(DARK_PAPER, 0.15)


def _is_read_by_day(color: Color) -> bool:
    return all(
        color.contrast(background) >= MIN_CONTRAST
        for background in (*LIGHT_BACKGROUNDS, _day_wash(color))
    )


def _is_read_by_night(color: Color, enough: float = MIN_CONTRAST) -> bool:
    return all(
        color.contrast(background) >= enough
        for background in (*DARK_BACKGROUNDS, _night_wash(color))
    )


def _nearest_for_day(color: Color) -> Color:
    """Darkened as little as the contrast needs."""
    steps = range(round(color.lightness * 200), -1, -1)
    darker = (color.with_lightness(step / 200) for step in steps)
    return next(color for color in darker if _is_read_by_day(color))


def _nearest_for_night(color: Color, enough: float) -> Color:
    """Lightened as little as the contrast needs."""
    lighter = (color.with_lightness(step / 200) for step in range(int(color.lightness * 200), 201))
    return next(color for color in lighter if _is_read_by_night(color, enough))


DEFAULT_ACCENT = Accent(Color.read("#0b5f5a"), Color.read("#6cc4bb"))
"""The colours of customer.css without a setting."""
