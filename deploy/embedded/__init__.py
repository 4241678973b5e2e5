"""The embedded default: PostgreSQL and an MQTT broker from Python wheels; README.md says what they can't do."""

from deploy.embedded.embedded import Embedded
from deploy.embedded.process import ChildProcess

__all__ = ["ChildProcess", "Embedded"]
