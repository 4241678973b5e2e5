"""The coverage-guided fuzzer: libFuzzer grows inputs that reach new lines of the codec and of the judge."""

import importlib
import sys
from zlib import crc32

import atheris

with atheris.instrument_imports(include=["schemas.codec", "services.ingest.core", "services.ingest.registry"]):
    # By name, so that they are instrumented while they are imported.
    fuzzed = importlib.import_module("tests.proving.fuzz.judged")


def one_input(data: bytes) -> None:
    """What libFuzzer calls. The sender follows from the bytes, so that an input alone repeats a failure."""
    fuzzed.check_uplink(data, fuzzed.SENDERS[crc32(data) % len(fuzzed.SENDERS)])
    fuzzed.check_decoders(data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
