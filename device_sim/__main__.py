"""The simulator's commands: fleet, run, replay, load, trace."""

import json
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Annotated, Final

import typer
from rich.console import Console

from device_sim import load as bench
from device_sim import replay as recorded
from device_sim.clock import SimClock
from device_sim.errors import SimulatorError
from device_sim.fleet import DOCTOR, make_fleet, make_load_fleet, moved
from device_sim.incidents import NEAR_MISSES, NO_ACTIVITY, IncidentPlan
from device_sim.oracle import Oracle
from device_sim.outbox import Limits
from device_sim.outbox_store import SqliteStore
from device_sim.progress import Progress
from device_sim.publish import Broker
from device_sim.run import Run
from device_sim.simulate import make_sources
from device_sim.tally import write_summary
from device_sim.trace import trace as trace_device
from device_sim.truth import TruthFile
from device_sim.world import make_world
from schemas.registry import Register

app: Final = typer.Typer(help="Simulated homes that keep the device's side of the contract.", no_args_is_help=True)
console: Final = Console(stderr=True)

RegisterFile = Annotated[Path, typer.Option(help="Register file (homes, people, devices).")]
Host = Annotated[str, typer.Option(help="MQTT broker.")]
Port = Annotated[int, typer.Option(help="Port of the MQTT broker.")]
Mqtt = Annotated[int, typer.Option(help="MQTT version: 5, or 3 for 3.1.1.")]
Credentials = Annotated[Path | None, typer.Option(help="JSON file {device: password}.")]
Ca = Annotated[Path | None, typer.Option(envvar="HB_TLS_CA_FILE", help="CA of the broker: connect by TLS.")]
Seed = Annotated[int, typer.Option(help="Same seed, same fleet, readings, incidents and faults.")]
OracleFile = Annotated[Path, typer.Option(help="Where every uplink is written before its first publish.")]
SummaryFile = Annotated[Path, typer.Option(help="Where the counts go at the end.")]
State = Annotated[Path, typer.Option(help="Directory of the devices' outboxes.")]
ResendAfter = Annotated[float, typer.Option(help="Real seconds without progress until a resend.")]
DrainS = Annotated[float, typer.Option(help="Real seconds to wait for the last acknowledgements.")]
StartMs = Annotated[int | None, typer.Option(help="Platform time of the beginning; the clock's origin if not given.")]
NearMisses = Annotated[int, typer.Option(min=0, help="So many for each incident; they must alert nobody.")]
NoActivity = Annotated[float, typer.Option(min=0, max=1, help="Share of a band's hours without activity and posture.")]
ShowProgress = Annotated[bool, typer.Option("--progress", help="Show progress where there is no terminal, too.")]


class Stop:
    """Set by SIGTERM and SIGINT; a second signal ends the drain as well."""

    def __init__(self) -> None:
        self.signals = 0
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._count)

    def _count(self, _number: int, _frame: FrameType | None) -> None:
        self.signals += 1


def _broker(host: str, port: int, mqtt: int, credentials: Path | None, ca: Path | None) -> Broker:
    passwords: Mapping[str, str] = json.loads(credentials.read_text()) if credentials else {}
    return Broker(host=host, port=port, mqtt=mqtt, passwords=passwords, ca_file=ca)


def _read_register(path: Path) -> Register:
    return Register.model_validate_json(path.read_bytes())


def _write_register(path: Path, register: Register) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(register.model_dump_json(indent=2) + "\n")


@app.command()
def fleet(
    *,
    register: RegisterFile,
    homes: Annotated[int, typer.Option(min=1)] = 20,
    seed: Seed = 1,
    start_ms: StartMs = None,
    load_devices: Annotated[int, typer.Option(help="Instead: so many bands, for `load`.")] = 0,
    doctor: Annotated[str, typer.Option(help="Who cares for everybody, and for nobody else.")] = DOCTOR,
    moved_register: Annotated[Path | None, typer.Option(help="Writes as well what it says once doses moved.")] = None,
) -> None:
    """Writes the register file of a seeded fleet. Dose times depend on the start of platform time."""
    start = SimClock.from_environment(os.environ).origin_ms if start_ms is None else start_ms
    made = (
        make_load_fleet(devices=load_devices, seed=seed, doctor=doctor)
        if load_devices
        else make_fleet(homes=homes, seed=seed, start_ms=start, doctor=doctor)
    )
    _write_register(register, made)
    if moved_register is not None:
        _write_register(moved_register, moved(made))


@app.command()
def run(  # noqa: PLR0913 - the options of a command
    *,
    register: RegisterFile,
    port: Port,
    truth: Annotated[Path, typer.Option(help="Where incidents are written ahead of time.")],
    oracle: OracleFile,
    summary: SummaryFile,
    state: State,
    host: Host = "127.0.0.1",
    mqtt: Mqtt = 5,
    credentials: Credentials = None,
    ca: Ca = None,
    seed: Seed = 1,
    homes: Annotated[int, typer.Option(help="Only the first homes of the register; 0 for all.")] = 0,
    start_ms: StartMs = None,
    resend_after: ResendAfter = 60.0,
    drain_s: DrainS = 120.0,
    faults: Annotated[
        bool, typer.Option(help="Drop, delay, duplicate, reorder, wrong clock and unit, lost storage.")
    ] = True,
    incidents: Annotated[bool, typer.Option(help="Things that go wrong with people and devices.")] = True,
    incidents_times: Annotated[int, typer.Option(min=1, help="So many of each kind an hour.")] = 1,
    near_misses: NearMisses = NEAR_MISSES,
    no_activity: NoActivity = NO_ACTIVITY,
    progress: ShowProgress = False,
) -> None:
    """Streams the simulated homes until platform time is frozen or SIGTERM comes, then drains and sums up."""
    clock = SimClock.from_environment(os.environ)
    read = _read_register(register)
    world = make_world(read.model_copy(update={"homes": read.homes[: homes or None]}), seed)
    start = clock.origin_ms if start_ms is None else start_ms
    plan = IncidentPlan(
        world, start_ms=start, rate=clock.rate, enabled=incidents, times=incidents_times, near_misses=near_misses,
        no_activity=no_activity,
    )  # fmt: skip
    truth_file = TruthFile(truth, clock.frozen_at_ms)
    plan.ensure(max(clock.frozen_at_ms, clock.now_ms()))
    truth_file.write(plan.planned)
    broker = _broker(host, port, mqtt, credentials, ca)
    with_limits = Limits(resend_after_s=resend_after)
    state.mkdir(parents=True, exist_ok=True)
    store = SqliteStore(state / "outbox.sqlite")
    made = Run(
        make_sources(plan, faults=faults),
        clock=clock,
        store=store,
        oracle=Oracle(oracle),
        broker=broker,
        limits=with_limits,
        seed=seed,
    )
    _drive(made, drain_s=drain_s, progress=progress, before_step=lambda: truth_file.write(plan.planned))
    write_summary(
        summary, made.summary() | {"incidents": truth_file.written, "near_misses": truth_file.near_misses, "seed": seed}
    )
    truth_file.close()
    store.close()


@app.command()
def replay(  # noqa: PLR0913 - the options of a command
    file: Annotated[Path, typer.Argument(help="parquet, csv or csv.gz")],
    *,
    people: Annotated[int, typer.Option(min=1, help="How many ids, in sorted order.")] = 20,
    columns: Annotated[str, typer.Option(help="person=…,minute=…,<vital>=…")] = recorded.DEFAULT_COLUMNS,
    register: Annotated[Path | None, typer.Option(help="Not needed: the devices follow from the file.")] = None,
    write_register: Annotated[Path | None, typer.Option(help="Write the register file of these people.")] = None,
    map_file: Annotated[
        Path | None, typer.Option("--map", help="Write which id became which person and device.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port of the MQTT broker; without it only the files are written.")] = 0,
    oracle: OracleFile = Path("oracle.jsonl"),
    summary: SummaryFile = Path("summary.json"),
    state: State = Path("state"),
    host: Host = "127.0.0.1",
    mqtt: Mqtt = 5,
    credentials: Credentials = None,
    ca: Ca = None,
    start_ms: StartMs = None,
    resend_after: ResendAfter = 60.0,
    drain_s: DrainS = 120.0,
    progress: ShowProgress = False,
) -> None:
    """Streams recorded data through MQTT devices as if it happened now; ends when all of it is acknowledged."""
    clock = SimClock.from_environment(os.environ)
    recordings = recorded.read_recordings(file, people=people, columns=columns)
    start = clock.origin_ms if start_ms is None else start_ms
    del register
    if write_register:
        _write_register(write_register, recorded.make_register(recordings))
    if map_file:
        recorded.write_map(map_file, recordings, start_ms=start)
    if not port:
        return
    state.mkdir(parents=True, exist_ok=True)
    store = SqliteStore(state / "outbox.sqlite")
    made = Run(
        recorded.make_sources(recordings, start_ms=start),
        clock=clock,
        store=store,
        oracle=Oracle(oracle),
        broker=_broker(host, port, mqtt, credentials, ca),
        limits=Limits(resend_after_s=resend_after),
        seed=0,
    )
    _drive(made, drain_s=drain_s, progress=progress, before_step=lambda: None)
    write_summary(summary, made.summary() | {"people": len(recordings)})
    store.close()


def _drive(made: Run, *, drain_s: float, progress: bool, before_step: Callable[[], None]) -> None:
    """Runs until the end of platform time, of the plans, or a signal; then drains."""
    stop = Stop()
    with Progress(made, wanted=progress) as shown:
        while not (stop.signals or made.clock.frozen or made.finished):
            before_step()
            made.step()
            shown.show()
        made.take_rest()
        made.drain(drain_s, shown.show, given_up=lambda: stop.signals > 1)
    made.close()


@app.command()
def load(  # noqa: PLR0913 - the options of a command
    *,
    register: RegisterFile,
    port: Port,
    oracle: OracleFile,
    summary: SummaryFile,
    host: Host = "127.0.0.1",
    mqtt: Mqtt = 5,
    credentials: Credentials = None,
    ca: Ca = None,
    uplinks_per_s: Annotated[float, typer.Option(min=1)] = 4000,
    seconds: Annotated[float, typer.Option(min=1)] = 60,
    state: Annotated[
        Path | None, typer.Option(help="Directory of the outboxes; needed without --memory-outbox.")
    ] = None,
    memory_outbox: Annotated[
        bool, typer.Option("--memory-outbox", help="Outboxes need not survive a restart.")
    ] = False,
    resend_after: ResendAfter = 5.0,
    drain_s: DrainS = 120.0,
    seed: Seed = 1,
    presses_per_s: Annotated[float, typer.Option(help="SOS presses a second; each band presses once or never.")] = 0,
    stage: Annotated[Path | None, typer.Option(help="File that says what is going on: sending, sent, ended.")] = None,
    unwell: Annotated[float, typer.Option(min=0, max=1, help="Share of wearers whose oxygen falls now and then.")] = 0,
) -> None:
    """The bench generator: every band of the register on a connection of its own, four readings an uplink."""
    if not memory_outbox and state is None:
        raise typer.BadParameter("--state or --memory-outbox")
    made = bench.Load(
        _read_register(register),
        broker=_broker(host, port, mqtt, credentials, ca),
        clock=SimClock.from_environment(os.environ),
        state=None if memory_outbox else state,
        resend_after_s=resend_after,
        seed=seed,
        unwell=unwell,
    )
    made.run(
        uplinks_per_s=uplinks_per_s,
        seconds=seconds,
        presses_per_s=presses_per_s,
        drain_s=drain_s,
        stop=Stop,
        say=_writer(stage),
    )
    made.write_oracle(oracle)
    write_summary(summary, made.summary())


def _writer(path: Path | None) -> Callable[[str], None]:
    """Writes each word over the one before; nowhere without a path."""

    def write(word: str) -> None:
        if path is not None:
            path.write_text(word)

    return write


@app.command()
def trace(
    device: str,
    *,
    port: Port,
    host: Host = "127.0.0.1",
    mqtt: Mqtt = 5,
    ca: Ca = None,
    user: Annotated[str | None, typer.Option(help="A broker user that may read the device's topics.")] = None,
    password: Annotated[str | None, typer.Option(envvar="HB_MQTT_PASSWORD")] = None,
) -> None:
    """Shows live what becomes of a device's uplinks."""
    broker = Broker(host=host, port=port, mqtt=mqtt, passwords={}, ca_file=ca)
    try:
        trace_device(broker, device, user=user, password=password, say=Console().print)
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    try:
        app()
    except SimulatorError as error:
        console.print(str(error))
        raise SystemExit(1) from error
