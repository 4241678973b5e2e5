"""What the repository holds, as the repo tests see it: tracked files and those about to be."""

import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
CODE_FOLDERS: Final = ("schemas", "transport", "services", "device_sim", "deploy", "grafana", "tests")
SERVICES: Final = tuple(sorted(path.parent.name for path in (ROOT / "services").glob("*/app.py")))


@cache
def files() -> tuple[Path, ...]:
    """Every file that git tracks or would take, relative to the root."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        found = (path for folder in CODE_FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file())
        return tuple(sorted(path.relative_to(ROOT) for path in found if "__pycache__" not in path.parts))
    command = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return tuple(sorted({Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file()}))


def files_ending(*endings: str) -> tuple[Path, ...]:
    """Those with one of ``endings``."""
    return tuple(path for path in files() if path.suffix in endings)


def text_of(path: Path) -> str:
    """The text of a file; empty where it is no text."""
    try:
        return (ROOT / path).read_text("utf-8")
    except UnicodeDecodeError:
        return ""
