"""Every channel that exists, in one explicit tuple."""

from typing import Final

from services.alert.channels.email import EMAIL
from services.alert.channels.port import ChannelType
from services.alert.channels.webhook import WEBHOOK

CHANNELS: Final[tuple[ChannelType, ...]] = (EMAIL, WEBHOOK)
