"""Commands inside the Debian root: a private mount namespace, so that every mount dies with the process."""

import subprocess
from pathlib import Path

from deploy.local.errors import CommandError
from deploy.local.limits import with_open_files

#: Where a server's own directory appears inside the root.
INSIDE = "/srv"

#: Bound to itself, the root can be made read-only for this process alone; what a server writes to
#: is mounted on top of it.
#: Arguments: root, directory, user, command... The command keeps the shell's pid, the first of its pid namespace:
#: when it dies, the kernel ends whatever it had started.
ENTER = f"""
set -e
root=$1 directory=$2 user=$3; shift 3
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount --bind "$directory" "$root{INSIDE}"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
for scratch in dev/shm tmp run; do mount -t tmpfs tmpfs "$root/$scratch"; done
exec chroot --userspec="$user" "$root" "$@"
"""


def inside(root: Path, directory: Path, user: str, command: list[str]) -> list[str]:
    """The command as seen from the host; its only child is the command itself."""
    private = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--"]
    enter = ["/bin/sh", "-c", ENTER, "enter", str(root), str(directory), f"{user}:{user}"]
    return with_open_files([*private, *enter, *command])


def run_inside(
    root: Path, directory: Path, user: str, command: list[str], *, given: str = "", **environment: str
) -> str:
    """Run a command to its end, with ``given`` as its input, and return what it printed."""
    full = inside(root, directory, user, command)
    clean = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", **environment}
    done = subprocess.run(full, env=clean, input=given, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        message = f"{command[0]} in {root.name} ended with {done.returncode}: {done.stderr.strip()}"
        raise CommandError(message)
    return done.stdout.strip()


def owner(root: Path, user: str) -> tuple[int, int]:
    """The user and group number that a name has inside the root."""
    for line in (root / "etc/passwd").read_text().splitlines():
        name, _, uid, gid, *_ = line.split(":")
        if name == user:
            return int(uid), int(gid)
    message = f"{root.name} has no user {user}"
    raise CommandError(message)
