"""The settings of the console, read from the environment once, in ``__main__``."""

from ipaddress import ip_address
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.api.audit_anchors import AuditSettings
from services.runtime.settings import ClockSettings, DatabaseSettings, LogSettings


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class ApiSettings(BaseSettings):
    """Where the console listens, and how browsers reach it.

    ``plain_http`` drops ``Secure`` and the ``__Host-`` prefix from the cookie; only on loopback. Elsewhere a proxy at
    ``trusted_proxy`` (an address) ends TLS and passes on the client's address.
    """

    model_config = SettingsConfigDict(env_prefix="HB_API_")

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    plain_http: bool = False
    trusted_proxy: str = ""
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    audit: AuditSettings = Field(default_factory=AuditSettings)
    clock: ClockSettings = Field(default_factory=ClockSettings)
    log: LogSettings = Field(default_factory=LogSettings)

    @model_validator(mode="after")
    def _plain_only_on_loopback(self) -> Self:
        if self.plain_http and not _loopback(self.host):
            raise ValueError("plain_http is for loopback only")
        return self
