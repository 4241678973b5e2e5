"""Kafka's classes as a file that its JVM maps instead of reading and checking each: a start takes half the CPU."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from deploy.local.kafka import classes_of, kafka
from deploy.local.ports import free_port
from deploy.local.settings import StackSettings

_READY_S: Final = 120.0
_ENDS_S: Final = 60.0


def make(libraries: Path, say: Callable[[str], None]) -> None:
    """Starts a node of its own once and keeps what it had loaded when it ended; nothing where that comes to nothing.

    Without the file Kafka works as well, and starts later.
    """
    archive = classes_of(libraries)
    if archive is None or archive.exists():
        return
    with tempfile.TemporaryDirectory(prefix="hb-kafka-") as folder:
        made = Path(folder) / "classes.jsa"
        _run_once(StackSettings(name="classes", local=Path(folder)), libraries, made)
        if made.exists():
            # Beside its place first: no JVM maps half of it.
            shutil.copyfile(made, archive.with_suffix(".new"))
            archive.with_suffix(".new").rename(archive)
    say(f"Kafka's classes in one file: {'built' if archive.exists() else 'none; each start reads them all'}")


def _run_once(settings: StackSettings, libraries: Path, archive: Path) -> None:
    port = free_port()
    node = kafka(settings, libraries, port, free_port(), {})
    node.before_start()
    settings.run_directory.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen(
        node.command,
        env=os.environ | {"JAVA_TOOL_OPTIONS": f"-XX:ArchiveClassesAtExit={archive}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        deadline = time.monotonic() + _READY_S
        while process.poll() is None and time.monotonic() < deadline and not node.answers():
            time.sleep(0.1)
        process.terminate()
        try:
            process.wait(_ENDS_S)
        except subprocess.TimeoutExpired:
            process.kill()
