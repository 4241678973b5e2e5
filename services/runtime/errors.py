"""The one base class of our errors; the docstring is the message."""


class HearthBeatError(Exception):
    """Something of HearthBeat failed."""

    def __init__(self, detail: str = "") -> None:
        self.detail = detail
        text = (self.__doc__ or type(self).__name__).strip().splitlines()[0]
        super().__init__(f"{text} {detail}".strip())


class SettingError(HearthBeatError):
    """A setting is missing or wrong."""


class RetryLaterError(HearthBeatError):
    """A server can't take this now; nothing is lost, try again."""


class ConnectionEndedError(HearthBeatError):
    """A connection that should stay has ended."""
