"""The life of a device's credential: which steps lead from which state to which, and what a claim is good for."""

import hashlib
import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from pydantic import BaseModel, ConfigDict

_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""What nobody takes for something else on a printed label."""
_CODE_LENGTH: Final = 20
_GROUP: Final = 5
_IN_BETWEEN: Final = re.compile(r"[\s-]+")


class LifeState(StrEnum):
    """Where a registered device is in its life. Only an active one is let in at the broker."""

    REGISTERED = "registered"
    OFFERED = "offered"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    REMOVED = "removed"


class LifeStep(StrEnum):
    """What is done with a device's credential."""

    CLAIM = "claim"
    ACTIVATE = "activate"
    ROTATE = "rotate"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
    WIPE = "wipe"
    REMOVE = "remove"


_S, _T = LifeState, LifeStep
TRANSITIONS: Final[Mapping[tuple[LifeState, LifeStep], LifeState]] = MappingProxyType(
    {
        (_S.REGISTERED, _T.CLAIM): _S.OFFERED,
        # Another code in the place of one that was lost.
        (_S.OFFERED, _T.CLAIM): _S.OFFERED,
        (_S.OFFERED, _T.ACTIVATE): _S.ACTIVE,
        (_S.OFFERED, _T.REVOKE): _S.REGISTERED,
        # Without a claim: whoever registers the device hands the secret over.
        (_S.REGISTERED, _T.ROTATE): _S.ACTIVE,
        (_S.ACTIVE, _T.ROTATE): _S.ACTIVE,
        # A stolen secret is replaced before its device may come back.
        (_S.SUSPENDED, _T.ROTATE): _S.SUSPENDED,
        (_S.ACTIVE, _T.SUSPEND): _S.SUSPENDED,
        (_S.SUSPENDED, _T.RESUME): _S.ACTIVE,
        (_S.ACTIVE, _T.REVOKE): _S.REVOKED,
        (_S.SUSPENDED, _T.REVOKE): _S.REVOKED,
        (_S.REVOKED, _T.WIPE): _S.REGISTERED,
        **{(state, _T.REMOVE): _S.REMOVED for state in LifeState if state is not _S.REMOVED},
    }
)
"""Every step that there is; any other is refused."""


class LifeFacts(BaseModel):
    """What is kept of a device, of which its state follows; so no two records can contradict each other."""

    model_config = ConfigDict(frozen=True)

    removed: bool
    has_credential: bool
    suspended: bool
    revoked: bool
    offered: bool


def state_of(facts: LifeFacts) -> LifeState:
    """The state that the facts amount to. A claim that is open counts only while there is no credential."""
    if facts.removed:
        return LifeState.REMOVED
    if not facts.has_credential:
        return LifeState.OFFERED if facts.offered else LifeState.REGISTERED
    if facts.revoked:
        return LifeState.REVOKED
    return LifeState.SUSPENDED if facts.suspended else LifeState.ACTIVE


def after(state: LifeState, step: LifeStep) -> LifeState | None:
    """The state after a step; None where that step is refused in ``state``."""
    return TRANSITIONS.get((state, step))


class ClaimVerdict(StrEnum):
    """What a claim's code is good for when a device brings it."""

    GOOD = "good"
    UNKNOWN = "unknown"
    OVER = "over"
    WITHDRAWN = "withdrawn"
    USED = "used"


class Claim(BaseModel):
    """A code that was given out: until when it is good, and what has become of it. All in platform time."""

    model_config = ConfigDict(frozen=True)

    ends_at: datetime
    used_at: datetime | None = None
    withdrawn_at: datetime | None = None


def judge(claim: Claim | None, now: datetime) -> ClaimVerdict:
    """What a code is good for at ``now``. A used one stays used, however late: that it comes again is what alarms."""
    if claim is None:
        return ClaimVerdict.UNKNOWN
    if claim.used_at is not None:
        return ClaimVerdict.USED
    if claim.withdrawn_at is not None:
        return ClaimVerdict.WITHDRAWN
    return ClaimVerdict.GOOD if now < claim.ends_at else ClaimVerdict.OVER


def new_code() -> str:
    """A claim's code, for people to type: 20 characters, 98 random bits, in groups of five."""
    text = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    return "-".join(text[at : at + _GROUP] for at in range(0, _CODE_LENGTH, _GROUP))


def hash_of(code: str) -> bytes:
    """What is kept of a code: SHA-256, since it is random and no dictionary holds it. Case and hyphens don't count."""
    return hashlib.sha256(_IN_BETWEEN.sub("", code).upper().encode()).digest()
