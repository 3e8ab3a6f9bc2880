"""Third parties: their carriers, and the secrets of who reports what they do.

docs/settings.md repeats every description; a test compares them.
"""

from pydantic import Field
from pydantic_settings import BaseSettings

from portal.settings.types import CarriersFile, Secrets


class ThirdPartySettings(BaseSettings):
    """Carriers of your own, and the secrets of their webhooks."""

    carriers: CarriersFile = Field(
        None,
        validation_alias="KEPT_CARRIERS",
        description="A TOML file with carriers of your own, for the links of tracking numbers; see "
        "[third parties](third-parties.md).",
    )
    aftership_secrets: Secrets = Field(
        (),
        validation_alias="KEPT_AFTERSHIP_SECRET",
        description="The webhook secret of AfterShip, which signs its calls; several are separated "
        "by commas, and each is accepted. Without one `/hooks/third-party/aftership` is a 404.",
    )
    easypost_secrets: Secrets = Field(
        (),
        validation_alias="KEPT_EASYPOST_SECRET",
        description="The same for EasyPost and `/hooks/third-party/easypost`.",
    )
    third_party_secrets: Secrets = Field(
        (),
        validation_alias="KEPT_THIRD_PARTY_SECRET",
        description="The same for your own systems and `/hooks/third-party/generic`.",
    )
