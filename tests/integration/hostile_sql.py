"""What a hostile viewer tries: each attempt with the outcome that it must have."""
# ruff: noqa: S608  # the queries are what is tested

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tests.integration.grafana_world import ALBERT, BERTA


class Outcome(StrEnum):
    """How an attempt ends. Whatever it is, no row of anybody else may come back."""

    DENIED = "insufficient privilege"
    NO_ROWS = "it runs and gives no rows"
    OWN_ROWS = "it runs and gives only what is the caregiver's own"
    HARMLESS = "it runs and gives rows about nobody"
    ERROR = "an error other than a missing privilege"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Statements of one session that may write; the last one's rows and outcome are looked at."""

    statements: tuple[str, ...]
    outcome: Outcome


def _attempts(outcome: Outcome, *attempts: str | tuple[str, ...]) -> tuple[Attempt, ...]:
    return tuple(Attempt(statements=(one,) if isinstance(one, str) else one, outcome=outcome) for one in attempts)


_TIMES = "timestamptz '2026-11-01 00:00Z', timestamptz '2026-11-23 00:00Z'"

OTHER_PEOPLE: Final = _attempts(
    Outcome.NO_ROWS,
    f"select * from caregiver_series('{BERTA}', 1::smallint, {_TIMES}, 60)",
    f"select * from caregiver_series('{ALBERT}', 1::smallint, {_TIMES}, 60)",
    f"select * from caregiver_latest_vitals('{BERTA}', array[1, 2, 3]::smallint[], '2026-11-22 12:00Z')",
    f"select * from caregiver_watched('{BERTA}', array[1, 2, 3]::smallint[], '2026-11-22 12:00Z')",
    f"select * from caregiver_doses('{BERTA}', '2026-11-22 12:00Z', 366)",
    f"select * from caregiver_dose_notices('{BERTA}', '2026-11-22 12:00Z', 366)",
    f"select * from caregiver_supplies('{BERTA}', '2026-11-22 12:00Z')",
    f"select * from caregiver_alerts('{ALBERT}')",
    "select * from caregiver_alerts(null)",
    f"select * from caregiver_people() where person_id = '{BERTA}'",
) + _attempts(
    Outcome.OWN_ROWS,
    "select guess.* from generate_series(0, 300) number,"
    " lateral caregiver_alerts(lpad(to_hex(number), 32, '0')::uuid) guess",
    "select guess.* from generate_series(0, 300) number, lateral caregiver_latest_vitals("
    "lpad(to_hex(number), 32, '0')::uuid, array[1]::smallint[], '2026-11-22 12:00Z') guess",
    "select * from caregiver_people() union all select * from caregiver_people()",
)

TABLES: Final = _attempts(
    Outcome.DENIED,
    "select * from readings",
    "select * from readings_1m",
    "select * from people",
    "select * from caregiver_grants",
    "select * from caregiver_scope",
    "select doctor_text from alerts",
    "select evidence from findings",
    "select details from device_events",
    "select value from bus_log",
    "select raw from rejected",
    "select * from watermarks",
    "select * from migrations",
    "select * from operator_alerts",
    f"select * from operator_traffic({_TIMES})",
    f"select * from operator_outcomes({_TIMES})",
    f"select * from operator_model_drift({_TIMES})",
    "table model_inputs",
    f"select * from alert_openings({_TIMES})",
    "table alert_outcomes",
    "select person_id, label from caregiver_people() union all select person_id, display_name from people",
    "with hidden as (select * from people) select * from hidden",
    "select exists (select from readings where value > 61)",
    "select * from caregiver_scope where display_name::integer = 1",
    "explain (analyze, verbose) select * from people",
    "table doctors",
    "table contact_addresses",
    ("begin", "lock table readings in access exclusive mode"),
    "insert into caregiver_grants select session_user, 3, '(,)'",
    "update caregiver_grants set person_no = 3",
    "delete from people",
    "truncate readings",
    "drop table readings",
    "drop function caregiver_people()",
)

CATALOGUE: Final = (
    _attempts(
        Outcome.NO_ROWS,
        "select tablename, most_common_vals::text, histogram_bounds::text from pg_stats where tablename in"
        " ('people', 'readings', 'homes', 'alerts', 'caregiver_grants') or tablename like '_hyper%'",
        "select tablename, most_common_vals::text from pg_stats_ext",
        "select * from information_schema.columns where table_schema = 'public'",
        "select * from information_schema.table_privileges where table_schema = 'public'",
        "select query from pg_stat_activity where usename <> session_user and query <> '<insufficient privilege>'",
        "select passwd from pg_user where passwd <> '********'",
    )
    + _attempts(
        Outcome.DENIED,
        "select starelid, stavalues1::text from pg_statistic",
        "select rolpassword from pg_authid",
        "select * from pg_shadow",
        "select * from pg_largeobject",
        "select * from pg_hba_file_rules",
        "select pg_read_file('PG_VERSION')",
        "select pg_read_binary_file('global/pg_control')",
        "select pg_ls_dir('.')",
        "select lo_import('/etc/passwd')",
        "select lo_create(0)",
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'postgres'",
    )
    + _attempts(
        Outcome.HARMLESS,
        "select relname, n_live_tup from pg_stat_user_tables",
        "select proname, prosrc, pg_get_functiondef(oid) from pg_proc where proname like 'caregiver%'",
        "select pg_get_viewdef('caregiver_scope'::regclass)",
        "select rolname, rolpassword from pg_roles",
        "select * from pg_stat_activity",
    )
)

ROLES: Final = _attempts(
    Outcome.DENIED,
    "set role postgres",
    "set role hearthbeat_panels",
    "set role hearthbeat_caregiver",
    "set role hearthbeat_operator",
    "set role pg_read_all_data",
    "set session authorization postgres",
    "select set_config('role', 'hearthbeat_panels', false)",
    "select set_config('session_authorization', 'postgres', false)",
    "create role mole login",
    "alter role current_user superuser",
    "alter role current_user connection limit -1",
    "grant hearthbeat_panels to current_user",
    "grant pg_read_all_data to current_user",
    "reassign owned by hearthbeat_panels to current_user",
    "set session_replication_role = replica",
    "set temp_file_limit = -1",
) + _attempts(
    Outcome.OWN_ROWS,
    ("reset role", "reset session authorization", "select * from caregiver_people()"),
    ("set session authorization default", "select * from caregiver_people()"),
)

SHADOWS: Final = _attempts(
    Outcome.DENIED,
    "create temporary table caregiver_grants as select 1",
    "create temporary view people as select 1",
    "create temporary table readings (person_no integer)",
    "create table public.loot as select 1",
    "create schema mine",
    "create function public.now() returns text language sql return 'x'",
    "create function pg_temp.mean(x float8) returns text language sql return 'x'",
    "create operator public.= (leftarg = name, rightarg = text, function = texteq)",
    "create or replace function caregiver_people() returns text language sql return 1",
    "alter function caregiver_people() security invoker",
    "create trigger mine before insert on readings execute function refuse_audit_change()",
) + _attempts(
    Outcome.OWN_ROWS,
    ("set search_path = pg_temp, public", "select * from caregiver_people()"),
    ("set search_path = ''", "select * from public.caregiver_people()"),
    ("set transform_null_equals = on", "set enable_seqscan = off", "select * from caregiver_people()"),
    ("set row_security = off", "select * from caregiver_people()"),
    ("set statement_timeout = 0", "select * from caregiver_people()"),
    ("prepare mine as select * from caregiver_people()", "execute mine"),
)

CODE: Final = _attempts(
    Outcome.DENIED,
    "do $$ begin perform 1 from readings; end $$",
    "do language plpgsql $$ begin execute 'select display_name from people'; end $$",
    ("prepare loot as select display_name from people", "execute loot"),
    ("begin", "declare loot cursor for select display_name from people"),
    "create extension dblink",
    "create extension postgres_fdw",
    "copy people to '/tmp/loot'",
    "copy people to program 'cat'",
    "copy (select * from caregiver_people()) to '/tmp/loot'",
    "select * from ts_stat('select to_tsvector(display_name) from people')",
    "update alerts set state = 'acknowledged', acknowledged_by = 1, acknowledged_at = now()",
    "select in_care(1, 3, 2, '2026-11-22 12:00Z')",
    "select * from people_in_care(1, '2026-11-22 12:00Z')",
    "select * from people_without_recipient('2026-11-22 12:00Z')",
    "select pg_advisory_lock(7001042)",
    "select pg_try_advisory_xact_lock(1)",
    "select pg_create_logical_replication_slot('loot', 'test_decoding')",
    "load 'auto_explain'",
) + _attempts(
    Outcome.ERROR,
    "select * from dblink('dbname=postgres', 'select 1') as (x integer)",
    f"select * from caregiver_series('{BERTA}; select 1', 1::smallint, {_TIMES}, 60)",
    f"select * from caregiver_series('{BERTA}'' or true', 1::smallint, {_TIMES}, 60)",
)

ATTEMPTS: Final = OTHER_PEOPLE + TABLES + CATALOGUE + ROLES + SHADOWS + CODE
