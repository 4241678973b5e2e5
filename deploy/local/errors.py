"""What can go wrong while the full stack is built, started or stopped."""


class StackError(Exception):
    """The full stack can't do what was asked."""


class UnsupportedMachineError(StackError):
    """This machine can't run the full stack."""


class CommandError(StackError):
    """A command that builds or asks the stack ended with an error."""


class StillMountedError(StackError):
    """A directory that should be removed has mounts inside, so it was left alone."""


class NotReadyError(StackError):
    """A server did not answer in time."""


class AlreadyRunningError(StackError):
    """A server that should be started, or data that should be erased, is in use."""
