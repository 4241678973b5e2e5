"""Score's state and findings beside those of an undisturbed replay of the log, up to the same positions."""

from pathlib import Path

from deploy.platform.platform import Platform


def exported(platform: Platform, directory: Path, *, findings: Path | None = None) -> Path:
    """A file with score's state as it is now."""
    file = directory / "exported.txt"
    more = [] if findings is None else ["--findings", str(findings)]
    file.write_text(platform.command("services.score", "export-state", *more))
    return file


def replayed(platform: Platform, state: Path, *, after: Path | None = None, findings: Path | None = None) -> str:
    """What ``exported`` has to have written; ``after``: what was exported where the log begins."""
    more = [] if after is None else ["--after", str(after)]
    more += [] if findings is None else ["--findings", str(findings)]
    return platform.command("services.score", "replay-state", str(state), *more)
