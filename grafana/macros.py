"""What Grafana does to a query before PostgreSQL sees it, as far as our panels use it.

Grafana's PostgreSQL data source replaces, in this order: template variables (in the browser; ``:sqlstring`` quotes the
value and doubles its quotes) and ``$__interval_ms``, then (in the server) the time macros by RFC 3339 literals in UTC.
``tests/unit/grafana`` holds a case for each; a macro that is not listed here raises, so no panel can use it unseen.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from grafana.errors import UnknownMacroError

_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::(\w+))?\}")
_LEFT_OVER: Final = re.compile(r"\$__\w+|\$\{?[A-Za-z]\w*")
_FILTER: Final = re.compile(r"\$__timeFilter\(([^()]+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a viewer looks at: the time range, the variables chosen, how wide the panel is in points."""

    since: datetime
    until: datetime
    variables: Mapping[str, str]
    points: int = 720

    @property
    def interval_ms(self) -> int:
        """About one point a pixel; Grafana rounds to its own steps, which changes nothing but the number of points."""
        return max(1000, round((self.until - self.since).total_seconds() * 1000 / self.points))


def variables_of(sql: str) -> set[str]:
    """The names of the template variables in a query."""
    return {match[1] for match in _VARIABLE.finditer(sql) if not match[1].startswith("__")}


def substitute(sql: str, view: View) -> str:
    """The query as PostgreSQL would see it. Raises UnknownMacroError."""

    def value_of(match: re.Match[str]) -> str:
        name, form = match[1], match[2]
        if name not in view.variables or form != "sqlstring":
            raise UnknownMacroError(match[0])
        return "'" + view.variables[name].replace("'", "''") + "'"

    since, until = _literal(view.since), _literal(view.until)
    text = sql.replace("$__timeFrom()", since).replace("$__timeTo()", until)
    text = _FILTER.sub(lambda match: f"{match[1]} BETWEEN {since} AND {until}", text)
    text = text.replace("$__interval_ms", str(view.interval_ms))
    # Before the values are filled in: a value may hold a dollar sign, which is no macro.
    if left := _LEFT_OVER.search(_VARIABLE.sub("", text)):
        raise UnknownMacroError(left[0])
    return _VARIABLE.sub(value_of, text)


def _literal(moment: datetime) -> str:
    return f"'{moment.isoformat().replace('+00:00', 'Z')}'"
