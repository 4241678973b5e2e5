"""A small file system among a running server's own mounts, to see what happens when it is full."""

from pathlib import Path
from types import TracebackType
from typing import Final, Self

from deploy.local import apt, jail

INSIDE: Final = "/run/small"
"""Where the server finds it. It goes with the server's process, as all of its mounts do."""
_BALLAST: Final = "ballast"


class SmallDisk:
    """``megabytes`` of memory mounted for the process ``pid``, whose root directory is ``root``; owned by ``user``."""

    def __init__(self, pid: int, root: Path, user: str, megabytes: int) -> None:
        self._pid, self._root, self._user, self._megabytes = pid, root, user, megabytes
        self._place = Path(f"{root}{INSIDE}")

    def __enter__(self) -> Self:
        uid, gid = jail.owner(self._root, self._user)
        self._there("mkdir", "-p", str(self._place))
        size = f"size={self._megabytes}m,uid={uid},gid={gid},mode=700"
        self._there("mount", "-t", "tmpfs", "-o", size, "small", str(self._place))
        self._there("mkdir", str(self._place / "data"))
        self._there("chown", f"{uid}:{gid}", str(self._place / "data"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The mount stays as long as the server; what filled it goes."""
        self.free()

    @property
    def directory(self) -> str:
        """An empty directory on it, as the server names it."""
        return f"{INSIDE}/data"

    def fill(self) -> None:
        """Takes all the room that is left."""
        ballast = str(self._place / _BALLAST)
        self._there("sh", "-c", f"dd if=/dev/zero of={ballast} bs=64k 2>/dev/null || true")

    def free(self) -> None:
        """Gives back what ``fill`` took."""
        self._there("rm", "-f", str(self._place / _BALLAST))

    def _there(self, *command: str) -> None:
        apt.run(["nsenter", f"--target={self._pid}", "--mount", "--", *command])
