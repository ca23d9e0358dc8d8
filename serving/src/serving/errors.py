"""Serving's errors: one root, and leaves named for what the caller can do about them.

ServingError
├── ModelError            choose or fetch another model
├── FetchError            mend the network, the disk or the package, and fetch again
├── StartError            mend this machine, and start again
├── InputTooLongError          send a shorter input
├── InputRefusedError          change the input: the hosted endpoint refuses it
├── UpstreamRefusedError       mend the hosted endpoint's URL, key or model
├── UpstreamBusyError          try again when the hosted endpoint says
└── UpstreamUnavailableError   try again later
"""


class ServingError(Exception):
    """Root of what serving raises on purpose; its text is a sentence for a person."""


class ModelError(ServingError):
    """The catalogue has no such model, or its files are not there."""


class FetchError(ServingError):
    """A model could not be fetched; nothing was left half done."""


class StartError(ServingError):
    """This machine cannot start the model now."""


class InputTooLongError(ServingError):
    """An input has more tokens than the embedder reads; it is never cut in silence."""

    def __init__(self, index: int, tokens: int, limit: int) -> None:
        super().__init__(
            f"Input {index} has {tokens} tokens and this embedder reads {limit}: "
            "split it, or cut it on purpose."
        )
        self.index = index
        self.tokens = tokens
        self.limit = limit


class InputRefusedError(ServingError):
    """The hosted endpoint refuses one text, though it answers others."""


class UpstreamRefusedError(ServingError):
    """The hosted endpoint refused our request: asking again would not help."""


class UpstreamBusyError(ServingError):
    """The hosted endpoint is asked too often, and says for how long to wait."""

    def __init__(self, sentence: str, retry_after_seconds: float) -> None:
        super().__init__(sentence)
        self.retry_after_seconds = retry_after_seconds


class UpstreamUnavailableError(ServingError):
    """The hosted endpoint gave no answer in time, or a server error."""
