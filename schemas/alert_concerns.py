"""What an alert is about, finer than its rule: there is one live alert per home, person and concern. Pure."""

from typing import Final

from schemas.alerts import Finding

OF_PEOPLE: Final = frozenset({"watch_gap"})
"""Rules of which each concern would be one alert more about the same trouble: a band in a drawer measures nothing."""
OF_DEVICES: Final = frozenset({"silent_device", "low_battery", "firmware", "clock", "command_failed"})
"""Rules that speak of one device, so that each device's trouble is a concern of its own."""


def concern_of(finding: Finding) -> str:
    """The concern of ``finding``: what its rule says it is, else that of its device, else the rule itself."""
    if finding.rule in OF_PEOPLE:
        return finding.rule
    if finding.concern and finding.concern != finding.rule:
        return finding.concern
    if finding.rule in OF_DEVICES and finding.evidence:
        return f"{finding.rule}.{finding.evidence[0].device_no}"
    return finding.rule
