"""What crosses a boundary between Faultline's layers: pydantic models, and nothing else.

Five contracts, one module each: `index`, `endpoints`, `answer`, `probe`, `status`. What they share
stands beside them: `filters`, `urls`.
"""

from pydantic import BaseModel, ConfigDict


class Contract(BaseModel):
    """Base of what a caller asks for: immutable, and an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Record(Contract):
    """Base of what one layer stores or answers and another one reads: unknown fields are ignored.

    So a layer reads what the next release of another layer writes. A new field therefore needs a
    default. A field that an older reader must not ignore, such as one that limits who may read a
    document, also needs the next number of its contract ("index/2"), which older readers refuse.
    """

    model_config = ConfigDict(extra="ignore")
