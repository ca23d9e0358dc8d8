"""Everything evals refuse or give up on; each message says what to do next.

EvalsError
├── DatasetError      a folder or file is not in the documented form
├── Unavailable       a layer does not answer, or refuses the key
│   └── Unreachable   nothing answers at its address
├── SyncFailed        the ingestion command ended without a usable report
├── NotStarted        a page would be open to more than this machine without a key
├── NotAccepted       the stack is not in a state that may become the baseline
└── DrillFailed       a fault could not be put in or taken out
"""


class EvalsError(Exception):
    """Root of what a caller of evals may catch."""


class DatasetError(EvalsError):
    """A dataset is not in the form that its suite documents."""


class Unavailable(EvalsError):
    """A layer of the stack cannot be reached or refuses us."""


class Unreachable(Unavailable):
    """Nothing answers at a layer's address, or not in time."""


class SyncFailed(EvalsError):
    """`ingestion sync` failed, so there is nothing sound to measure."""


class NotStarted(EvalsError):
    """A service would listen beyond this machine without asking for a key."""


class NotAccepted(EvalsError):
    """The stack is worse than it was, or its cells disagree: it may not become the baseline."""


class DrillFailed(EvalsError):
    """A drill could not put its fault in or take it out; what it had kept was restored."""
