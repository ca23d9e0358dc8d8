"""Everything evals refuse or give up on; each message says what to do next.

EvalsError
├── DatasetError      a folder or file is not in the documented form
├── Unavailable       a layer does not answer, or refuses the key
└── SyncFailed        the ingestion command ended without a usable report
"""


class EvalsError(Exception):
    """Root of what a caller of evals may catch."""


class DatasetError(EvalsError):
    """A dataset is not in the form that its suite documents."""


class Unavailable(EvalsError):
    """A layer of the stack cannot be reached or refuses us."""


class SyncFailed(EvalsError):
    """`ingestion sync` failed, so there is nothing sound to measure."""
