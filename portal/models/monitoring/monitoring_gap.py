"""That nobody kept watch for a while: what slipped meanwhile may have been put right unseen."""

from datetime import datetime

from sqlmodel import SQLModel

from portal.models.columns import moment, primary_key


class Outage(SQLModel, table=True):
    """From the last look before it to the first after it; until ``patient_until`` staff catch up.

    What fell due between is raised only then: they could not have written down what they did.
    """

    __tablename__ = "outage"

    id: int | None = primary_key()
    began_at: datetime = moment()
    ended_at: datetime = moment()
    # Serves: is there one whose patience lasts still?
    patient_until: datetime = moment(index=True)
