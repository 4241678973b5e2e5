"""A simulated fleet on a platform: its register, its secrets at the broker, its process."""

import json
from pathlib import Path
from typing import Any, Final

from deploy.platform.platform import Platform
from deploy.platform.services import ServiceProcess
from deploy.platform.tool import run_tool

DOCTOR: Final = "doctor@example.org"


class Fleet:
    """Makes a register with the simulator, registers it, and runs the simulator against the stack.

    Two fleets of one platform need two doctors: a register file is the whole truth about a doctor's people.
    """

    def __init__(self, platform: Platform, directory: Path, *, homes: int, seed: int, doctor: str = DOCTOR) -> None:
        self.directory = directory
        self._platform, self._homes, self._seed, self._doctor = platform, homes, seed, doctor
        directory.mkdir(parents=True, exist_ok=True)

    def path(self, name: str) -> Path:
        """One of the fleet's files."""
        return self.directory / name

    def register(self, *arguments: str) -> None:
        """Writes the register, for database and broker, and secrets; ``arguments`` go to ``device_sim fleet``."""
        asked = arguments or ("--homes", str(self._homes))
        earlier = self._in_care()
        run_tool(
            self._platform.environment,
            "device_sim", "fleet", *asked, "--seed", str(self._seed), "--doctor", self._doctor,
            "--register", str(self.path("register.json")),
        )  # fmt: skip
        self._keep_in_care(earlier)
        credentials = str(self.path("credentials.json"))
        self._platform.command(
            "services.cli", "register", str(self.path("register.json")), "--credentials", credentials, earlier=True
        )

    def _in_care(self) -> list[str]:
        if not self.path("register.json").exists():
            return []
        people: list[str] = json.loads(self.path("register.json").read_text())["doctors"][0]["people"]
        return people

    def _keep_in_care(self, people: list[str]) -> None:
        """Keeps people of an earlier, larger fleet in care: their devices stay registered.

        Without a doctor they would be monitored with nobody to notify, and the file be refused.
        """
        register = json.loads(self.path("register.json").read_text())
        doctor = register["doctors"][0]
        doctor["people"] = list(dict.fromkeys([*doctor["people"], *people]))
        self.path("register.json").write_text(json.dumps(register, indent=2) + "\n")

    def simulator(
        self, command: str, *arguments: str, drain_s: float = 120, resend_after_s: float = 5
    ) -> ServiceProcess:
        """A process that runs ``device_sim COMMAND`` against the stack's broker. Times in real seconds."""
        stack = self._platform.stack
        common = (
            "--register", str(self.path("register.json")), "--credentials", str(self.path("credentials.json")),
            "--host", stack.mqtt_host, "--port", str(stack.mqtt_port), "--oracle", str(self.path("oracle.jsonl")),
            "--summary", str(self.path("summary.json")), "--resend-after", f"{resend_after_s:.0f}",
            "--drain-s", f"{drain_s:.0f}",
        )  # fmt: skip
        return ServiceProcess(
            "simulator", ["device_sim", command, *common, *arguments], self._platform.environment, self.path("sim.log")
        )

    def summary(self) -> dict[str, Any]:
        """What the simulator wrote at its end."""
        found: dict[str, Any] = json.loads(self.path("summary.json").read_text())
        return found
