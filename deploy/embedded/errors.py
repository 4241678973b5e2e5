"""What can go wrong with the embedded servers."""


class EmbeddedError(Exception):
    """The embedded servers can't do what was asked."""


class NotReadyError(EmbeddedError):
    """An embedded server did not answer in time."""


class AccountError(EmbeddedError):
    """PostgreSQL refuses to run as root, and no other account can be taken here."""


class CommandError(EmbeddedError):
    """A program of the PostgreSQL wheel ended with an error."""
