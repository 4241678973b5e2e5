"""The number of open files a server gets: a broker with thousands of devices needs one for each."""

import resource

from deploy.local.errors import UnsupportedMachineError

WANTED = 65536
NEEDED = 8192


def open_files() -> int:
    """The highest limit of open files that this machine allows, as far as we want it."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)


def with_open_files(command: list[str]) -> list[str]:
    """The command under the highest limit of open files that this machine allows."""
    limit = open_files()
    if limit < NEEDED:
        message = f"the hard limit of open files is {limit}, the stack needs {NEEDED} (ulimit -Hn)"
        raise UnsupportedMachineError(message)
    return ["prlimit", f"--nofile={limit}:{limit}", *command]
