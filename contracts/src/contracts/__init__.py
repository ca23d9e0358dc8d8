"""What crosses a boundary between Faultline's layers: pydantic models, and nothing else.

Five contracts, one module each: `index`, `endpoints`, `answer`, `probe`, `status`.
"""

from pydantic import BaseModel, ConfigDict


class Contract(BaseModel):
    """Base of every model here: immutable, and an unknown field is an error, not a surprise."""

    model_config = ConfigDict(frozen=True, extra="forbid")
