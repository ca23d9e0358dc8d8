"""What can go wrong in ingestion, named for what the caller can do about it.

IngestionError
├── UsageError      the command or a setting is wrong: mend it, run again
│   └── NameTaken       the source's name belongs to another place: give it one of its own
├── DocumentError   one document cannot be indexed: quarantine it, go on
├── Unavailable     the embedder or the store does not answer: try again
├── Refused         the embedder or the store said no: another try is in vain
│   └── InputRefused    to one of these texts: find out which
├── StateUnusable   the state folder cannot be read or written: mend that, run again
├── SpecMismatch    the index was built with something that calls itself the same (I7)
├── Fenced          another run took over the sync of this source: stop (I8)
├── Held            a guard stopped the run, nothing changed: approve it, or mend the source
└── NotProved       the index does not hold what the run wrote (I5, I9)
"""

from typing import Self

from contracts.status import Hold


class IngestionError(Exception):
    """Root of the layer's errors; its text is one sentence that says what to do next."""


class UsageError(IngestionError):
    """The command or a setting is wrong."""


class NameTaken(UsageError):
    """Another place of documents goes by the name that this source's path gives it."""


class DocumentError(IngestionError):
    """One document cannot be indexed; its text is the reason shown in the quarantine."""


class Unavailable(IngestionError):
    """The embedder or the store does not answer; the same request may succeed later."""


class Refused(IngestionError):
    """The embedder or the store refused the request; the same request will be refused again."""


class InputRefused(Refused):
    """The embedder cannot take one of the texts of the request."""


class StateUnusable(IngestionError):
    """A file of the state folder cannot be read or written."""

    @classmethod
    def of(cls, error: Exception, file: object = None) -> Self:
        """The same of an error of the system, or of SQLite's in `file`."""
        where = file or getattr(error, "filename", None) or "The state folder"
        why = getattr(error, "strerror", None) or error
        return cls(
            f"{where} cannot be used ({why}): is its disk full, is it another user's, or does a "
            "run that stands still hold it? Mend that, or set INGESTION_STATE_DIR to another "
            "folder, and run this again."
        )


class SpecMismatch(IngestionError):
    """The collection's embedder and the one that answers have one name but differ (I7)."""


class Fenced(IngestionError):
    """Another run has taken over the right to write, and this one's commit is refused (I8)."""


class Held(IngestionError):
    """A guard stopped the run before it changed anything."""

    def __init__(self, hold: Hold) -> None:
        super().__init__("; ".join(hold.reasons))
        self.hold = hold


class NotProved(IngestionError):
    """What the index holds at the end of a run is not what the run accounts for (I5, I9)."""
