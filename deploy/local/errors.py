"""What can go wrong while the full stack is built, started or stopped."""


class StackError(Exception):
    """The full stack can't do what was asked."""


class NotPossibleHere(StackError):
    """This machine can't run the full stack."""


class CommandFailed(StackError):
    """A command that builds or asks the stack ended with an error."""


class StillMounted(StackError):
    """A directory that should be removed has mounts inside, so it was left alone."""


class NotReady(StackError):
    """A server did not answer in time."""


class AlreadyRunning(StackError):
    """A server that should be started, or data that should be erased, is in use."""


class BadUserName(StackError):
    """A user name that a password file can't hold, or that belongs to the platform."""
