"""A panel's query as Grafana's PostgreSQL data source keeps it; the SDK has no builder for it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef

DATA_SOURCE_TYPE: Final = "grafana-postgresql-datasource"


class Reader(StrEnum):
    """Who looks: the name of a folder of dashboards; each reads through a data source of its own."""

    CAREGIVER = "caregiver"
    OPERATOR = "operator"

    @property
    def data_source(self) -> DataSourceRef:
        """By the identifier that the provisioning file gives it."""
        return DataSourceRef(type_val=DATA_SOURCE_TYPE, uid=f"hearthbeat-{self.value}")


class Shape(StrEnum):
    """How the data source reads the rows."""

    TABLE = "table"
    TIME_SERIES = "time_series"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Dataquery):
    """One query of a panel."""

    reader: Reader
    sql: str
    shape: Shape

    def to_json(self) -> dict[str, Any]:
        return {
            "refId": "A",
            "datasource": self.reader.data_source,
            "editorMode": "code",
            "format": self.shape,
            "rawQuery": True,
            "rawSql": self.sql,
        }


class Target(Builder[Dataquery]):
    """A query in the form that the SDK wants: a builder, of something that is built already."""

    def __init__(self, query: Query) -> None:
        self._query = query

    def build(self) -> Dataquery:
        return self._query
