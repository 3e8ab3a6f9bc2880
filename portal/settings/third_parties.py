"""Third parties: their carriers.

docs/settings.md repeats every description; a test compares them.
"""

from pydantic import Field
from pydantic_settings import BaseSettings

from portal.settings.types import CarriersFile


class ThirdPartySettings(BaseSettings):
    """Carriers of your own."""

    carriers: CarriersFile = Field(
        None,
        validation_alias="KEPT_CARRIERS",
        description="A TOML file with carriers of your own, for the links of tracking numbers; see "
        "[third parties](third-parties.md).",
    )
