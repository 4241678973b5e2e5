"""Starts a fuzzer as a process of its own and reads from its output what it did and what it found."""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from base64 import b64encode
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from deploy.local.settings import CHECKOUT
from tests.proving.fuzz.corpus import CASES

FOUND: Final = CHECKOUT / ".local" / "reports" / "fuzz-found.jsonl"
_LARGEST_INPUT: Final = 4096
_LARGEST_SEED: Final = 2048
_DONE: Final = re.compile(r"Done (\d+) runs in (\d+) second")
_COVERAGE: Final = re.compile(r"cov: (\d+) ft: (\d+)")
_PASSING: Final = re.compile(r"(\d+) passing, (\d+) failing")
_CALLS: Final = re.compile(r"schemathesis: (\d+) calls, (\d+) answers of 5xx")


def fuzz_decoder(executions: int, seed: int) -> dict[str, Any]:
    """Runs libFuzzer on the decoder, from the corpus on. What fails is written as cases whose fate is to be found."""
    if find_spec("atheris") is None:
        return {"executions": 0, "crashes": 0, "not_run": "atheris has no wheel for this machine", "ok": False}
    with tempfile.TemporaryDirectory(prefix="hb-fuzz-") as directory:
        seeds, crashes = Path(directory, "seeds"), Path(directory, "crashes")
        seeds.mkdir()
        crashes.mkdir()
        for data in {case.bytes for case in CASES if case.player in {"uplink", "record"}}:
            if len(data) <= _LARGEST_SEED:
                (seeds / hashlib.sha256(data).hexdigest()).write_bytes(data)
        output = _run(
            [
                *(sys.executable, "-m", "tests.proving.fuzz.decoder", f"-runs={executions}", f"-seed={seed}"),
                *(f"-max_len={_LARGEST_INPUT}", f"-artifact_prefix={crashes}/", "-timeout=10", str(seeds)),
            ]
        )
        found = [path.read_bytes() for path in sorted(crashes.iterdir())]
    done, coverage = _DONE.search(output), _COVERAGE.findall(output)
    _keep(found)
    return {
        "executions": int(done[1]) if done else 0,
        "seconds": int(done[2]) if done else None,
        "edges": int(coverage[-1][0]) if coverage else 0,
        "crashes": len(found),
        "ok": done is not None and not found,
        "last_words": "" if done and not found else output[-2000:],
    }


def fuzz_properties(examples: int) -> dict[str, Any]:
    """The property tests of ingest with more examples."""
    output = _run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout=3600"),
            *("--hypothesis-show-statistics", "tests/unit/services/ingest/test_properties.py"),
        ],
        HB_FUZZ_EXAMPLES=str(examples),
    )
    passing = _PASSING.findall(output)
    failing = sum(int(bad) for _, bad in passing)
    done = sum(int(good) for good, _ in passing)
    ok = bool(passing) and not failing and "failed" not in output
    return {"examples": done, "failing": failing, "ok": ok, "last_words": "" if ok else output[-2000:]}


def fuzz_api(calls: int) -> dict[str, Any]:
    """Schemathesis on the console's OpenAPI, signed out and as a doctor."""
    output = _run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout=3600"),
            "tests/integration/test_api_schema.py",
        ],
        HB_FUZZ_CALLS=str(calls),
    )
    found = _CALLS.search(output)
    ok = found is not None and found[2] == "0" and "failed" not in output
    return {
        "calls": int(found[1]) if found else 0,
        "answers_5xx": int(found[2]) if found else None,
        "ok": ok,
        "last_words": "" if ok else output[-2000:],
    }


def _run(command: list[str], **environment: str) -> str:
    """Both outputs of a command, whatever its exit code: a find is no failure to run."""
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        errors="replace",
    )
    return done.stdout + done.stderr


def _keep(found: list[bytes]) -> None:
    """Adds what was found to a file in the form of the index, for somebody to say what it should have been."""
    FOUND.parent.mkdir(parents=True, exist_ok=True)
    with FOUND.open("a", encoding="utf-8") as file:
        for data in found:
            case = {
                "id": f"found-{hashlib.sha256(data).hexdigest()[:12]}",
                "category": "found",
                "says": "Found by the fuzzer.",
                "player": "uplink",
                "sent": [{"base64": b64encode(data).decode()}],
                "fate": {},
            }
            file.write(json.dumps(case) + "\n")
