"""Why a file is refused: a code and its limit. The sentence is made where somebody reads it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from portal.i18n.lazy_string import LazyString


class FileRefusalCode(StrEnum):
    """Why a file is not stored."""

    TOO_LARGE = "too_large"
    EMPTY = "empty"
    HEIC = "heic"
    UNSUPPORTED_TYPE = "unsupported_type"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_COMPLEX = "too_complex"
    DAMAGED = "damaged"
    FOREIGN_ADDRESS = "foreign_address"
    UNSAFE_ADDRESS = "unsafe_address"
    NOT_FETCHED = "not_fetched"
    DAY_IS_FULL = "day_is_full"


REFUSAL_TEXTS = {
    FileRefusalCode.EMPTY: LazyString("there is nothing in it"),
    FileRefusalCode.HEIC: LazyString(
        "HEIC photos cannot be shown everywhere; please send it as a JPEG"
    ),
    FileRefusalCode.UNSUPPORTED_TYPE: LazyString(
        "only photos (JPEG, PNG, GIF, WebP, HEIC) and PDF files can be taken"
    ),
    FileRefusalCode.TOO_MANY_PIXELS: LazyString("the picture has too many pixels"),
    FileRefusalCode.TOO_COMPLEX: LazyString(
        "the picture takes too long to open; please send a smaller one"
    ),
    FileRefusalCode.DAMAGED: LazyString("the picture is damaged and cannot be shown"),
    FileRefusalCode.FOREIGN_ADDRESS: LazyString("its address is not the phone company's"),
    FileRefusalCode.UNSAFE_ADDRESS: LazyString("its address is not a safe one"),
    FileRefusalCode.NOT_FETCHED: LazyString("the phone company did not hand it over"),
    FileRefusalCode.DAY_IS_FULL: LazyString(
        "it is more than we can take in one day; please send it again tomorrow"
    ),
}


@dataclass(frozen=True, slots=True)
class FileRefusal:
    """One refusal. ``max_megabytes`` is the limit where the file was too large, else 0."""

    code: FileRefusalCode
    max_megabytes: int = 0

    @classmethod
    def too_large(cls, max_bytes: int) -> Self:
        """The refusal of a file of more than ``max_bytes``; people know the limit in MB."""
        return cls(FileRefusalCode.TOO_LARGE, max(max_bytes // 1_000_000, 1))

    @property
    def text(self) -> LazyString:
        """The reason, which completes "it could not be taken:" and has no full stop."""
        if self.code == FileRefusalCode.TOO_LARGE:
            return LazyString("it is larger than {most} MB", most=self.max_megabytes)
        return REFUSAL_TEXTS[self.code]
