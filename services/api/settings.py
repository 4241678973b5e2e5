"""The settings of the console, read from the environment once, in ``__main__``."""

from ipaddress import ip_address
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.runtime.settings import ClockSettings, DatabaseSettings, LogSettings


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class AuditSettings(BaseSettings):
    """``anchors``: a directory outside of the database, in which the end of the chain of audit seals is written daily.

    It should lie where nobody who may write to the database may write. None: no anchors.
    """

    model_config = SettingsConfigDict(env_prefix="HB_API_AUDIT_")

    anchors: Path | None = None


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
    audit: AuditSettings = Field(default_factory=AuditSettings)
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    clock: ClockSettings = Field(default_factory=ClockSettings)
    log: LogSettings = Field(default_factory=LogSettings)

    @model_validator(mode="after")
    def _plain_only_on_loopback(self) -> Self:
        if self.plain_http and not _loopback(self.host):
            raise ValueError("plain_http is for loopback only")
        return self
