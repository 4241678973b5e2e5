"""The settings of the console, read from the environment once, in ``__main__``."""

from ipaddress import ip_address
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.api.audit_anchors import AuditSettings
from services.runtime.sealing import KeyFileError, Keys
from services.runtime.secret_files import refuse_open_file
from services.runtime.settings import ClockSettings, DatabaseSettings, LogSettings
from services.runtime.tls import ServerCertificate, is_loopback, refuse_open_listener


class ApiSettings(BaseSettings):
    """Where the console listens, and how browsers reach it.

    Off loopback it shows ``certificate_file``, which may hold the key too, or else ``key_file`` does. Before it there
    may be a proxy, which ends TLS for browsers. At ``trusted_proxy`` (one address) it is believed whose request it
    passes on, and nobody else is. ``plain_http`` drops ``Secure`` and the ``__Host-`` prefix from the cookie; only on
    loopback. The keys of ``second_factor_key_file`` seal second factors; without it there are none.
    """

    model_config = SettingsConfigDict(env_prefix="HB_API_", hide_input_in_errors=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    plain_http: bool = False
    trusted_proxy: str = ""
    certificate_file: Path | None = None
    key_file: Path | None = None
    second_factor_key_file: Path | None = None
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    audit: AuditSettings = Field(default_factory=AuditSettings)
    clock: ClockSettings = Field(default_factory=ClockSettings)
    log: LogSettings = Field(default_factory=LogSettings)

    @model_validator(mode="after")
    def _safe_off_this_machine(self) -> Self:
        if self.plain_http and (not is_loopback(self.host) or self.certificate_file is not None):
            raise ValueError(
                "HB_API_PLAIN_HTTP: plain_http is for loopback only, and for a console without certificate"
            )
        if self.certificate_file is None:
            refuse_open_listener("HB_API_HOST", self.host, "HB_API_CERTIFICATE_FILE")
        try:
            self.certificate()
        except OSError as error:
            raise ValueError(f"HB_API_CERTIFICATE_FILE: {error.strerror or error.args[0]}") from error
        if self.key_file is not None:
            refuse_open_file("HB_API_KEY_FILE", self.key_file)
        elif self.certificate_file is not None:
            refuse_open_file("HB_API_CERTIFICATE_FILE", self.certificate_file)
        return self

    @model_validator(mode="after")
    def _with_keys_that_are_some(self) -> Self:
        try:
            self.second_factor_keys()
        except KeyFileError as error:
            raise ValueError(f"HB_API_SECOND_FACTOR_KEY_FILE: {error.detail}") from error
        return self

    @field_validator("trusted_proxy")
    @classmethod
    def _one_address(cls, address: str) -> str:
        """A network or a star would let others in that network pretend to be anybody. Raises ValueError."""
        try:
            return str(ip_address(address)) if address else ""
        except ValueError:
            raise ValueError("this is not one address") from None

    def certificate(self) -> ServerCertificate | None:
        """What browsers, or the proxy, are shown. Raises OSError."""
        return None if self.certificate_file is None else ServerCertificate(self.certificate_file, self.key_file)

    def second_factor_keys(self) -> Keys | None:
        """What seals the secrets of second factors. Raises KeyFileError."""
        return None if self.second_factor_key_file is None else Keys.from_file(self.second_factor_key_file)
