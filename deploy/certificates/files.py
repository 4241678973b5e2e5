"""How a CA's files are written: in one step, and from their first byte on for their owner alone."""

import os
from pathlib import Path
from typing import Final

CA_CERTIFICATE: Final = "ca.crt"
CA_KEY: Final = "ca.key"
LEAF: Final = ".pem"
"""Key and certificate of one holder in one file, so that nobody can ever read the new one beside the old other."""


def write_private(path: Path, content: bytes, owner: tuple[int, int] | None = None) -> None:
    """Replaces a file of mode 0600, ``owner``'s (uid, gid) or ours; makes its folder of mode 0700. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        if owner is not None:
            os.fchown(file.fileno(), *owner)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def give_to(source: Path, target: Path, owner: tuple[int, int] | None = None) -> None:
    """A copy of one of the files for another user (uid, gid) alone, a server's; None: for us. Raises OSError."""
    write_private(target, source.read_bytes(), owner)
