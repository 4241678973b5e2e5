"""Pages by webhook: signed, to public addresses only, redirects not followed (security.md item 13)."""

import asyncio
import hmac
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from socket import SOCK_STREAM, gaierror
from typing import Final

import httpx
from pydantic_core import to_json

from services.alert.channels.port import ChannelType, Outcome, Page, Reason, Result
from services.alert.settings import AlertSettings

_TIMEOUT_S: Final = 8.0
_NEVER_ACCEPTED: Final = frozenset({400, 405, 410, 413, 415, 422})
"""Answers that say that this request can't ever be accepted. Others (401, 404 too) may heal."""
_HIGHEST_PORT: Final = 65_535
_TRANSLATED: Final = IPv6Network("64:ff9b::/96")

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
LookUp = Callable[[str, int], Awaitable[Sequence[Address]]]


class WebhookChannel:
    """POSTs JSON. The receiver checks ``HearthBeat-Signature`` and refuses a timestamp more than 5 min away."""

    def __init__(
        self, client: httpx.AsyncClient, settings: AlertSettings, *, look_up: LookUp, unix_time: Callable[[], float]
    ) -> None:
        self._client, self._look_up = client, look_up
        self._secret = (settings.webhook_secret.get_secret_value() if settings.webhook_secret else "").encode()
        self._allowed = settings.webhook_allowed_networks
        self._unix_time = unix_time

    async def send(self, page: Page) -> Result:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                return await self._post(page)
        except (TimeoutError, httpx.TransportError, OSError):
            return Result(outcome=Outcome.RETRY, reason=Reason.NO_ANSWER)

    async def _post(self, page: Page) -> Result:
        try:
            url = httpx.URL(page.address)
            target = await self._target_of(url)
        except gaierror:
            return Result(outcome=Outcome.RETRY, reason=Reason.UNKNOWN_HOST)
        except (httpx.InvalidURL, ValueError):
            target = None
        if target is None:
            return Result(outcome=Outcome.FAILED, reason=Reason.REFUSED_TARGET)
        body = to_json({"key": page.key, "alert_id": page.alert_id, "step": page.step, "link": page.link})
        headers = {
            "Host": url.netloc.decode(),
            "Content-Type": "application/json",
            "Idempotency-Key": page.key,
            **signature_headers(self._secret, body, int(self._unix_time())),
        }
        if page.possible_duplicate:
            headers["HearthBeat-Possible-Duplicate"] = "yes"
        # To the very address that was judged: a second look-up could answer another one.
        there = url.copy_with(host=str(target), userinfo=b"")
        async with self._client.stream(
            "POST", there, content=body, headers=headers, extensions={"sni_hostname": url.host}
        ) as response:
            return judge_answer(response.status_code)

    async def _target_of(self, url: httpx.URL) -> Address | None:
        """Looked up once; None where any address behind the name is out of bounds. Raises gaierror."""
        if url.scheme not in {"https", "http"} or not url.host:
            return None
        usual = 443 if url.scheme == "https" else 80
        port = usual if url.port is None else url.port
        addresses = await self._look_up(url.host, port) if 0 < port <= _HIGHEST_PORT else ()
        if not addresses or not all(is_allowed(address, url.scheme, self._allowed) for address in addresses):
            return None
        return addresses[0]


def signature_headers(secret: bytes, body: bytes, timestamp: int) -> dict[str, str]:
    """HMAC-SHA256 over ``<unix seconds>.<body>``, so that neither can be changed or used again later."""
    signature = hmac.new(secret, b"%d." % timestamp + body, sha256).hexdigest()
    return {"HearthBeat-Timestamp": str(timestamp), "HearthBeat-Signature": f"v1={signature}"}


async def look_up(host: str, port: int) -> list[Address]:
    """Every address behind a name, as the system resolves it. Raises gaierror."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=SOCK_STREAM)
    return [ip_address(str(info[4][0]).partition("%")[0]) for info in found]


def is_allowed(address: Address, scheme: str, allowed: Iterable[Network]) -> bool:
    """By https what is public or allowed, by http only allowed loopback. An IPv4 address in an IPv6 one counts."""
    inner = embedded_address(address)
    is_listed = any(inner in network for network in allowed)
    if scheme == "http":
        return is_listed and inner.is_loopback
    return is_listed or (inner.is_global and not inner.is_multicast)


def embedded_address(address: Address) -> Address:
    """What an IPv4-mapped, 6to4, Teredo or NAT64 address leads to."""
    if not isinstance(address, IPv6Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


def judge_answer(status: int) -> Result:
    """Anything but a plain success is tried again, unless the receiver says it never can be."""
    if 200 <= status < 300:  # noqa: PLR2004
        return Result(outcome=Outcome.SENT, reason=Reason.ACCEPTED)
    if 300 <= status < 400:  # noqa: PLR2004
        return Result(outcome=Outcome.FAILED, reason=Reason.REDIRECT)
    if status in _NEVER_ACCEPTED:
        return Result(outcome=Outcome.FAILED, reason=Reason.REFUSED_BY_RECEIVER)
    return Result(outcome=Outcome.RETRY, reason=Reason.SERVER_ERROR)


@asynccontextmanager
async def _open(settings: AlertSettings) -> AsyncIterator[WebhookChannel]:
    async with httpx.AsyncClient(timeout=_TIMEOUT_S, follow_redirects=False, trust_env=False) as client:
        yield WebhookChannel(client, settings, look_up=look_up, unix_time=time.time)


WEBHOOK: Final = ChannelType(
    name="webhook",
    configured=lambda settings: settings.webhook_secret is not None,
    address=lambda contact: contact.webhook,
    open=_open,
)
