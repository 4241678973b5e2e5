"""Unit tests open no sockets; the event loop's own pair stays allowed."""

import pytest
from hypothesis import settings
from pytest_socket import disable_socket

settings.register_profile("hearthbeat", deadline=None)  # a busy machine is no bug
settings.load_profile("hearthbeat")


@pytest.fixture(autouse=True)
def no_sockets() -> None:
    """Anything that tries to connect fails the test."""
    disable_socket(allow_unix_socket=True)
