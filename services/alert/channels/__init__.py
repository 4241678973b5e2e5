"""Every channel that exists, in one explicit tuple, and those of them that the environment sets up."""

from typing import Any, Final

from services.alert.channels.email import EMAIL
from services.alert.channels.port import ChannelType, ConfiguredChannel
from services.alert.channels.webhook import WEBHOOK

CHANNELS: Final[tuple[ChannelType[Any], ...]] = (
    EMAIL,
    WEBHOOK,
)


def configured_channels() -> tuple[ConfiguredChannel, ...]:
    """Those that are on. Raises ValidationError where a setting of any of them can't be right."""
    read = [(kind, kind.settings()) for kind in CHANNELS]
    return tuple(kind.configure(settings) for kind, settings in read if kind.is_on(settings))
