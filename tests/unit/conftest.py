"""Unit tests open no sockets; the event loop's own pair stays allowed."""

import os

import pytest
from hypothesis import settings
from pytest_socket import disable_socket

# A busy machine is no bug. The same examples each time: a run that is red means the change that it was run for.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("anew", deadline=None)
settings.load_profile(os.environ.get("HB_EXAMPLES", "same"))


@pytest.fixture(autouse=True)
def no_sockets() -> None:
    """Anything that tries to connect fails the test."""
    disable_socket(allow_unix_socket=True)
