"""`make audit`: advisories, licences, the hashes of Kafka's libraries, and the bill of materials of what runs."""

import json
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

import httpx
import typer
from rich.console import Console

from deploy.audit.advisories import Advisories, ask_index, check_advisories, look_for_advisories
from deploy.audit.advisory_folder import ask_folder, doubt_of_folder
from deploy.audit.debian import packages_of, release_of
from deploy.audit.licences import licence_of, not_allowed
from deploy.audit.lock import DEV, RUN, Locked, locked_in
from deploy.audit.report import Outcome, Part, outcome_of, show
from deploy.audit.sbom import bill, of_debian, of_jar, of_python
from deploy.local.jars import committed, differences
from deploy.local.prepare import kafka_libraries, root_directory
from deploy.local.settings import StackSettings

NO_ADVISORIES: Final = "no registry that is reached from here says what it knows of their faults"
NOT_BUILT: Final = "not built here; `make up` builds it"

console = Console(highlight=False)


def advisories(found: Advisories) -> Part:
    """Known faults of the locked distributions."""
    wrong = {
        f"{one.name} {one.version}, {one.ids[0]}": f"{one.summary} Fixed in {', '.join(one.fixed_in) or 'no version'}."
        for one in found.found
    }
    return Part(name="advisories of Python packages", looked_at=found.checked, wrong=wrong, unchecked=found.unchecked)


def licences(releases: tuple[Locked, ...]) -> Part:
    """Licences of the locked distributions, as their installed metadata say them."""
    names = sorted({one.name for one in releases})
    wrong = not_allowed((name, licence_of(name)) for name in names)
    return Part(name="licences of Python packages", looked_at=len(names), wrong=wrong)


def jars(local: Path) -> Part:
    """Kafka's libraries as they lie there, against their committed hashes."""
    name, directory, known = "hashes of Kafka's libraries", kafka_libraries(local), committed()
    if not directory.is_dir():
        return Part(name=name, looked_at=0, unchecked={directory.name: NOT_BUILT})
    wrong = {one.split(" ", 1)[0]: one.split(" ", 1)[1] for one in differences(directory, known)}
    return Part(name=name, looked_at=len(known), wrong=wrong)


def others(local: Path) -> Part:
    """What has no advisory data here: said, so that nobody takes silence for health."""
    packages = packages_of(root_directory(local))
    unchecked = {f"{len(committed())} libraries of Kafka": NO_ADVISORIES}
    unchecked |= {f"{len(packages)} Debian packages": NO_ADVISORIES} if packages else {"the Debian root": NOT_BUILT}
    return Part(name="advisories of Kafka and Debian", looked_at=0, unchecked=unchecked)


def write_bill(local: Path, at: datetime) -> Path:
    """Writes the bill of materials of what runs; what only builds and proves HearthBeat is not part of it."""
    root = root_directory(local)
    components = [
        *(of_python(one, licence_of(one.name)) for one in locked_in(RUN)),
        *map(of_jar, committed().values()),
        *(of_debian(one, release_of(root)) for one in packages_of(root)),
    ]
    file = local / "reports" / "sbom.cdx.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(bill(version("hearthbeat"), at, components), indent=1) + "\n", "utf-8")
    console.print(f"{len(components)} components in {file}")
    return file


def audit(
    *,
    everything: Annotated[
        bool, typer.Option(help="Also advisories of what only builds and proves HearthBeat.")
    ] = False,
    data: Annotated[Path | None, typer.Option(help="A copy of PyPA's advisory database, instead of the index.")] = None,
    allow_unchecked: Annotated[bool, typer.Option(help="0 instead of 3 where something was not checked.")] = False,
) -> None:
    """Exits with 1 where something is wrong, with 3 where nothing is, but something could not be checked."""
    local, at = StackSettings().local, datetime.now(UTC)
    releases = locked_in(RUN, DEV) if everything else locked_in(RUN)
    if data is not None:
        found = look_for_advisories(releases, ask_folder(data), doubt_of_folder(data, at))
    else:
        with httpx.Client(follow_redirects=True) as client, console.status("asking the package index"):
            found = check_advisories(releases, ask_index(client))
    parts = [advisories(found), others(local), licences(locked_in(RUN, DEV)), jars(local)]
    sbom = write_bill(local, at)
    report = local / "reports" / "audit.json"
    outcome = outcome_of(parts)
    plain = {"at": at.isoformat(), "outcome": outcome.name.lower(), "sbom": sbom.name}
    plain_parts = {one.name: one.to_plain() for one in parts}
    report.write_text(json.dumps(plain | {"parts": plain_parts}, indent=1) + "\n", "utf-8")
    show(parts, console)
    console.print(f"report: {report}")
    raise typer.Exit(Outcome.CLEAN if allow_unchecked and outcome is Outcome.NOT_CHECKED else outcome)


if __name__ == "__main__":
    typer.run(audit)
