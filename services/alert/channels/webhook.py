"""Notifications by webhook: signed for each receiver, to public addresses only, redirects not followed."""

import asyncio
import hmac
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from socket import SOCK_STREAM, gaierror
from typing import Final, Self

import httpx
from pydantic import IPvAnyNetwork, model_validator
from pydantic_core import to_json
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.alert.channels.port import AttemptOutcome, AttemptReason, AttemptResult, ChannelType, Notification
from services.alert.targets import Address, is_allowed
from services.runtime.sealing import KeyFileError, Keys, UnknownKeyError
from services.runtime.secret_files import refuse_open_file

_TIMEOUT_S: Final = 8.0
"""For a notification, its look-up and every address that is tried included."""
_LEAST_CONNECT_S: Final = 1.0
"""What an address gets that is not the last, however many there are."""
_NEVER_ACCEPTED: Final = frozenset({400, 405, 410, 413, 415, 422})
"""Answers that say that this request can't ever be accepted. Others (401, 404 too) may heal."""
_HIGHEST_PORT: Final = 65_535

LookUp = Callable[[str, int], Awaitable[Sequence[Address]]]


class WebhookSettings(BaseSettings):
    """Off without ``key_file``, whose keys open the receivers' secrets (`services.runtime.sealing`).

    ``allowed_networks`` opens addresses that are not public, and loopback among them to plain http.
    """

    model_config = SettingsConfigDict(env_prefix="HB_ALERT_WEBHOOK_")

    key_file: Path | None = None
    allowed_networks: tuple[IPvAnyNetwork, ...] = ()

    @model_validator(mode="after")
    def _nobody_else_reads_keys(self) -> Self:
        if self.key_file is not None and self.key_file.exists():
            refuse_open_file("HB_ALERT_WEBHOOK_KEY_FILE", self.key_file)
        return self


class WebhookChannel:
    """POSTs JSON. The receiver checks ``HearthBeat-Signature`` and refuses a timestamp more than 5 min away.

    While its secret is being changed, there is a signature by the new one and by the old one, and either will do. A
    receiver without a secret is notified all the same, unsigned: nothing about a person is in the call, unless its
    owner has asked for that.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        keys: Keys,
        *,
        allowed_networks: Sequence[IPv4Network | IPv6Network] = (),
        look_up: LookUp,
        unix_time: Callable[[], float],
    ) -> None:
        self._client, self._keys, self._look_up = client, keys, look_up
        self._allowed = tuple(allowed_networks)
        self._unix_time = unix_time

    async def send(self, notification: Notification) -> AttemptResult:
        try:
            async with asyncio.timeout(_TIMEOUT_S) as limit:
                return await self._post(notification, limit)
        except (TimeoutError, httpx.TransportError, OSError):
            return AttemptResult(outcome=AttemptOutcome.RETRY, reason=AttemptReason.NO_ANSWER)
        except UnknownKeyError:
            return AttemptResult(outcome=AttemptOutcome.RETRY, reason=AttemptReason.UNKNOWN_KEY)

    async def _post(self, notification: Notification, limit: asyncio.Timeout) -> AttemptResult:
        try:
            url = httpx.URL(notification.address)
            targets = await self._targets_of(url)
        except gaierror:
            return AttemptResult(outcome=AttemptOutcome.RETRY, reason=AttemptReason.UNKNOWN_HOST)
        except (httpx.InvalidURL, ValueError):
            targets = ()
        if not targets:
            return AttemptResult(outcome=AttemptOutcome.FAILED, reason=AttemptReason.REFUSED_TARGET)
        body = to_json(
            {
                **notification.facts,
                "key": notification.key,
                "kind": notification.kind,
                "link": notification.link,
                "subject": notification.subject,
                "text": notification.text,
            }
        )
        headers = self._headers(notification, url, body)
        *earlier, last = targets
        for after, target in zip(range(len(earlier), 0, -1), earlier, strict=True):
            # Without a connection nothing was sent. After any other failure it may have been, and
            # would arrive twice if another address were tried.
            with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return await self._post_to(target, url, headers, body, _share_s(limit, after))
        return await self._post_to(last, url, headers, body, _TIMEOUT_S)

    def _headers(self, notification: Notification, url: httpx.URL, body: bytes) -> dict[str, str]:
        headers = {
            "Host": url.netloc.decode(),
            "Content-Type": "application/json",
            "Idempotency-Key": notification.key,
            **signature_headers(self._secrets(notification), body, int(self._unix_time())),
        }
        if notification.possible_duplicate:
            headers["HearthBeat-Possible-Duplicate"] = "yes"
        return headers

    def _secrets(self, notification: Notification) -> list[bytes]:
        """Raises UnknownKeyError."""
        return [self._keys.open(sealed).encode() for sealed in notification.sealed_secrets]

    async def _post_to(
        self, target: Address, url: httpx.URL, headers: Mapping[str, str], body: bytes, connect_s: float
    ) -> AttemptResult:
        """To the very address that was judged: a second look-up could answer another one."""
        there = url.copy_with(host=str(target), userinfo=b"")
        timeout = httpx.Timeout(_TIMEOUT_S, connect=connect_s)
        async with self._client.stream(
            "POST", there, content=body, headers=headers, timeout=timeout, extensions={"sni_hostname": url.host}
        ) as response:
            return judge_answer(response.status_code)

    async def _targets_of(self, url: httpx.URL) -> Sequence[Address]:
        """Looks up once; gives none if any address behind the name is refused. Raises gaierror."""
        if url.scheme not in {"https", "http"} or not url.host:
            return ()
        usual = 443 if url.scheme == "https" else 80
        port = usual if url.port is None else url.port
        addresses = await self._look_up(url.host, port) if 0 < port <= _HIGHEST_PORT else ()
        if not all(is_allowed(address, url.scheme, self._allowed) for address in addresses):
            return ()
        return addresses


def _share_s(limit: asyncio.Timeout, after: int) -> float:
    """How long an address may take to connect; the rest is for those after it and the answer."""
    left = (limit.when() or 0.0) - asyncio.get_running_loop().time()
    return max(_LEAST_CONNECT_S, left / (after + 2))


def signature_headers(secrets: Sequence[bytes], body: bytes, timestamp: int) -> dict[str, str]:
    """HMAC-SHA256 over ``<unix seconds>.<body>``, so that neither can be changed or used again; by each secret."""
    signed = b"%d." % timestamp + body
    signatures = [f"v1={hmac.new(secret, signed, sha256).hexdigest()}" for secret in secrets]
    return {
        "HearthBeat-Timestamp": str(timestamp),
        **({"HearthBeat-Signature": ",".join(signatures)} if signatures else {}),
    }


async def look_up(host: str, port: int) -> list[Address]:
    """Every address behind a name, as the system resolves it. Raises gaierror."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=SOCK_STREAM)
    # The part after a per cent sign is the interface of a link-local address.
    return [ip_address(str(info[4][0]).partition("%")[0]) for info in found]


def judge_answer(status: int) -> AttemptResult:
    """Anything but a plain success is tried again, unless the receiver says it never can be."""
    if 200 <= status < 300:  # noqa: PLR2004
        return AttemptResult(outcome=AttemptOutcome.SENT, reason=AttemptReason.ACCEPTED)
    if 300 <= status < 400:  # noqa: PLR2004
        return AttemptResult(outcome=AttemptOutcome.FAILED, reason=AttemptReason.REDIRECT)
    if status in _NEVER_ACCEPTED:
        return AttemptResult(outcome=AttemptOutcome.FAILED, reason=AttemptReason.REFUSED_BY_RECEIVER)
    return AttemptResult(outcome=AttemptOutcome.RETRY, reason=AttemptReason.SERVER_ERROR)


@asynccontextmanager
async def _open(settings: WebhookSettings) -> AsyncIterator[WebhookChannel]:
    if settings.key_file is None:
        raise KeyFileError("HB_ALERT_WEBHOOK_KEY_FILE is not set.")
    try:
        keys = Keys.from_file(settings.key_file)
    except KeyFileError as error:
        raise KeyFileError(f"HB_ALERT_WEBHOOK_KEY_FILE: {error.detail}") from error
    # trust_env would let a proxy of the environment connect for us, to addresses we have not
    # judged.
    async with httpx.AsyncClient(timeout=_TIMEOUT_S, follow_redirects=False, trust_env=False) as client:
        yield WebhookChannel(
            client, keys, allowed_networks=settings.allowed_networks, look_up=look_up, unix_time=time.time
        )


WEBHOOK: Final = ChannelType(
    name="webhook",
    settings=WebhookSettings,
    is_on=lambda settings: settings.key_file is not None,
    accepts=lambda address: address.startswith(("https://", "http://")),
    open=_open,
)
