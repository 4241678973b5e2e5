"""Files that hold secrets, such as keys: refused at the start where others on the machine may read them."""

import os
import stat
from pathlib import Path
from typing import Final

_OWNERS: Final = 0o700
_OWNERS_AND_GROUPS: Final = 0o740


def why_open(path: Path) -> str | None:
    """What is wrong with who may read ``path``; None where its owner alone may. Raises OSError.

    A group may read, and no more, what root owns: so a cluster gives a file to a process that is not root. Where modes
    say nothing, as on Windows, nothing is wrong.
    """
    if os.name != "posix":
        return None
    found = path.stat()
    mode = stat.S_IMODE(found.st_mode)
    if not mode & ~(_OWNERS_AND_GROUPS if found.st_uid == 0 else _OWNERS):
        return None
    return f"others may read this secret, its mode is {mode:04o}; chmod 600 it"


def refuse_open_file(setting: str, path: Path) -> None:
    """Raises ValueError where others may read ``path``, OSError where nobody can."""
    if why := why_open(path):
        raise ValueError(f"{setting}: {why}")
