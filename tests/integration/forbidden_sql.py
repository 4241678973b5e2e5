"""What no service may do at the database, and what each may not do that others may: every statement is refused."""

from collections.abc import Mapping
from typing import Final

from schemas.database_access import DATABASE_SERVICES, role_of

FILES_AND_PROGRAMS: Final = (
    "copy (select 1) to '/tmp/loot'",
    "copy (select 1) to program 'cat'",
    "copy people to '/tmp/loot'",
    "copy readings from '/etc/passwd'",
    "copy readings from program 'id'",
    "copy audit from program 'id'",
    "select pg_read_file('PG_VERSION')",
    "select pg_read_file('/etc/passwd', 0, 10)",
    "select pg_read_binary_file('global/pg_control')",
    "select pg_stat_file('PG_VERSION')",
    "select pg_ls_dir('.')",
    "select * from pg_ls_logdir()",
    "select * from pg_ls_waldir()",
    "select * from pg_ls_tmpdir()",
    "select pg_current_logfile()",
    "select * from pg_hba_file_rules",
    "select * from pg_ident_file_mappings",
    "select * from pg_file_settings",
    "select lo_import('/etc/passwd')",
    "select lo_export(1, '/tmp/loot')",
    "select lo_create(0)",
    "select lo_creat(-1)",
    "select lo_from_bytea(0, 'loot')",
    "load 'auto_explain'",
    "create extension dblink",
    "create extension postgres_fdw",
    "create extension file_fdw",
    "create extension hstore",
)

SERVER: Final = (
    "alter system set fsync = off",
    "alter system set archive_command = 'id'",
    "alter system reset all",
    "select pg_reload_conf()",
    "select pg_rotate_logfile()",
    "checkpoint",
    "select pg_promote()",
    "select pg_switch_wal()",
    "select pg_create_restore_point('loot')",
    "select pg_backup_start('loot')",
    "select pg_create_physical_replication_slot('loot')",
    "select pg_create_logical_replication_slot('loot', 'test_decoding')",
    "select pg_drop_replication_slot('loot')",
    "select pg_stat_reset()",
    "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'postgres'",
    "select pg_cancel_backend(pid) from pg_stat_activity where usename = 'postgres'",
    "create database loot",
    "drop database template1",
    "alter database template1 rename to loot",
    "create tablespace loot location '/tmp'",
    "create publication loot for all tables",
    "create subscription loot connection 'dbname=postgres' publication loot with (connect = false)",
    "create event trigger loot on ddl_command_start execute function refuse_audit_change()",
    "create foreign data wrapper loot",
    "set session_replication_role = replica",
    "set temp_file_limit = -1",
    "set log_statement = 'none'",
    "set zero_damaged_pages = on",
    "set session_preload_libraries = 'loot'",
    "select pg_advisory_lock(7001042)",
    "select pg_advisory_unlock_all()",
)

ROLES: Final = (
    "set role postgres",
    "set role hearthbeat_panels",
    "set role hearthbeat_caregiver",
    "set role hearthbeat_operator",
    "set role pg_read_all_data",
    "set role pg_execute_server_program",
    "set session authorization postgres",
    "select set_config('role', 'postgres', false)",
    "select set_config('session_authorization', 'postgres', false)",
    "create role mole login",
    "create role mole superuser",
    "alter role current_user superuser",
    "alter role current_user createrole",
    "alter role current_user bypassrls",
    "alter role current_user replication",
    "alter role current_user connection limit -1",
    "alter role postgres password 'known'",
    "alter role hearthbeat_panels login",
    "drop role hearthbeat_panels",
    "grant hearthbeat_panels to current_user",
    "grant pg_read_all_data to current_user",
    "grant pg_execute_server_program to current_user",
    "grant pg_signal_backend to current_user",
    "reassign owned by postgres to current_user",
    "drop owned by postgres",
    "alter default privileges for role postgres grant select on tables to public",
    "grant select on migrations to public",
    "revoke select on migrations from hearthbeat_panels",
    "select rolpassword from pg_authid",
    "select passwd from pg_shadow",
    "select umoptions from pg_user_mapping",
    "select subconninfo from pg_subscription",
    "select stavalues1::text from pg_statistic",
    "select * from pg_largeobject",
    "do $$ begin perform rolpassword from pg_authid; end $$",
)

SHAPE: Final = (
    "create schema mine",
    "create table public.loot ()",
    "create temporary table loot as select 1",
    "create view public.loot as select 1",
    "create materialized view public.loot as select 1",
    "create sequence public.loot",
    "create type public.loot as (x integer)",
    "create domain public.loot as integer",
    "create function public.now() returns text language sql return 'x'",
    "create function pg_temp.now() returns text language sql return 'x'",
    "create function pg_catalog.loot() returns text language sql return 'x'",
    "create or replace function refuse_audit_change() returns trigger language plpgsql as 'begin return null; end'",
    "alter function refuse_audit_change() security definer",
    "drop function refuse_audit_change() cascade",
    "create index loot on readings (value)",
    "create trigger loot before insert on readings execute function refuse_audit_change()",
    "create rule loot as on insert to people do instead nothing",
    "create policy loot on people",
    "alter table people enable row level security",
    "alter table audit disable trigger all",
    "alter table audit disable trigger audit_is_append_only",
    "drop trigger audit_is_append_only on audit",
    "alter table alert_audit disable trigger all",
    "alter table readings owner to current_user",
    "alter table audit rename to loot",
    "alter table doctors add column loot text",
    "alter table platform drop column generation",
    "alter view watermark owner to current_user",
    "alter schema public rename to loot",
    "comment on table audit is 'loot'",
    "reindex table people",
    "drop table readings cascade",
    "drop table audit",
    "drop view watermark cascade",
    "drop schema public cascade",
    "truncate readings",
    "truncate audit",
    "truncate alert_audit",
    "truncate findings cascade",
    "do $$ begin lock table audit in access exclusive mode; end $$",
    "do $$ begin lock table people in access exclusive mode; end $$",
)

ROWS: Final = (
    "update audit set allowed = true",
    "delete from audit",
    "update alert_audit set note = ''",
    "delete from alert_audit",
    "delete from alert_outcomes",
    "update register_changes set changed_by = 'nobody'",
    (
        "insert into register_changes (changed_at, recorded_at, changed_by, command, subject, details)"
        " values (now(), now(), 'nobody', 'x', 'x', '{}')"
    ),
    "update audit.seals set seal = seal",
    "delete from audit.seals",
    "insert into audit.unsealed (source, row_no, appended_at) values ('audit', 1, now())",
    "update migrations set sql = ''",
    "delete from migrations",
    "select sql from migrations",
    "update platform set generation = 0",
    "update readings set value = 0",
    "delete from device_events",
    "update device_events set details = '{}'",
    "insert into homes (home_id, label, time_zone) values (gen_random_uuid(), 'x', 'UTC')",
    "delete from homes",
    "update people set display_name = 'x'",
    "delete from people",
    "insert into doctors (email, display_name) values ('mole@example.org', 'x')",
    "select password_hash from doctors",
    "select password_hash from doctors where email = 'doctor@example.org'",
    "copy doctors (password_hash) to stdout",
    "select * from doctors",
    "update doctors set password_hash = 'known'",
    "update doctors set email = 'mole@example.org'",
    "delete from doctors",
    "insert into care_relations values (1, 1, '(,)')",
    "delete from care_relations",
    "update bindings set person_no = 1",
    "delete from bindings",
    "delete from devices",
    "update devices set shard = 0",
    "update device_credentials set verifier = 'known'",
    "insert into device_credentials values (1, 'known', now(), null)",
    "select code_hash from device_claims",
    "update device_claims set used_at = null",
    "delete from device_claims",
    "select * from caregiver_grants",
    "insert into caregiver_grants (role_name, person_no, valid) values (current_user, 1, '(,)')",
    "select * from caregiver_scope",
    "select * from operator_alerts",
    "select * from caregiver_people()",
    "insert into contact_addresses (doctor_no, channel, address) values (1, 'email', 'mole@example.org')",
    "update contact_addresses set address = 'mole@example.org'",
    "delete from assignments",
    "update assignments set reason = 'x'",
)

LINKS: Final = (
    "select * from password_resets",
    "insert into password_resets (doctor_no, link_hash, ends_at) values (1, 'x', now())",
    "update password_resets set ends_at = now()",
    "delete from password_resets",
)
"""Links that set passwords are made by an administrator's commands, and used by a function."""

FOR_NOBODY: Final = LINKS + FILES_AND_PROGRAMS + SERVER + ROLES + SHAPE + ROWS

AUDIT_OF_PEOPLE: Final = (
    "select * from audit",
    (
        "insert into audit (happened_at, recorded_at, action, allowed, people, address)"
        " values (now(), now(), 'read', true, '{}', '')"
    ),
    "copy audit to stdout",
    "select * from register_changes",
    "delete from audit.unsealed",
    "select seal from audit.seals",
)
ACCOUNTS: Final = (
    "select * from sign_in_of('doctor@example.org')",
    "select password_fits(1, 'guessed')",
    "select email from doctors",
    "select session_hash from sessions",
    (
        "insert into sessions (session_hash, doctor_no, csrf_token, opened_at, seen_at, ends_at)"
        " values ('x', 1, 'x', now(), now(), now())"
    ),
    "delete from sessions",
    "select * from sign_in_attempts",
    "update sign_in_attempts set outcome = 'succeeded'",
    "select sealed from second_factors",
    "delete from second_factors",
    "select code_hash from recovery_codes",
    "select pending_hash from pending_sign_ins",
    "select * from password_reset_of('x', now())",
    "select use_password_reset('x', 'y', now())",
)
NAMES: Final = ("select display_name from people", "select born_on from people", "select label from homes")
VALUES: Final = ("select value from readings", "select * from readings", "select details from device_events")
ALERTS: Final = (
    "select doctor_text from alerts",
    "update alerts set state = 'closed'",
    "select note from alert_audit",
    "insert into alert_audit (alert_id, at, what) values (gen_random_uuid(), now(), 'opened')",
    "delete from notifications",
    "update escalation_steps set state = 'cancelled'",
    "select address from contact_addresses",
    "select sealed from receiver_secrets",
    "select begins from quiet_hours",
)
PLANS: Final = (
    "select drug from dose_plan_versions",
    "update dose_plans set changed = true",
    "insert into doses (dose_id) values (gen_random_uuid())",
    "delete from dose_evidence",
)
FINDINGS: Final = (
    "select evidence from findings",
    "insert into findings (finding_id) values (gen_random_uuid())",
    "update findings set claimed_at = now()",
)
LIMITS: Final = (
    "select levels from limits",
    "insert into limits (concern) values ('heart_rate.high')",
    "delete from limits",
    "select artefact from rule_versions",
)
REGISTER: Final = ("select device from devices", "select valid from care_relations", "select valid from bindings")
RAW: Final = ("select raw from rejected", "select settled from device_cursor", "update device_cursor set floor = 0")
WATCHING: Final = (
    "select end_old_viewers(now())",
    "select * from platform_incidents",
    "update watch_counters set value = 0",
    "select pg_try_advisory_lock(7001067)",
)
STATE: Final = ("select state from score_state", "update score_positions set position = 0", "delete from score_days")
CLUSTER: Final = ("select current_cluster()", "update store_positions set position = 0")
MOVES: Final = ("delete from readings", "insert into assignments (assigned_by, reason) values ('nobody', 'x')")
COPIES: Final = ("copy readings to stdout", "copy people (person_no, display_name) to stdout", "copy doctors to stdout")

FOR_OTHERS: Final[Mapping[str, tuple[str, ...]]] = {
    "ingest": (
        *AUDIT_OF_PEOPLE, *ACCOUNTS, *NAMES, *VALUES, *ALERTS, *PLANS, *FINDINGS, *LIMITS, *RAW, *WATCHING, *STATE,
        *CLUSTER, *COPIES, *MOVES, "select valid from care_relations", "update watermarks set received_at = now()",
    ),
    "store": (
        *AUDIT_OF_PEOPLE, *ACCOUNTS, *NAMES, *ALERTS, *PLANS, *FINDINGS, *LIMITS, *REGISTER, *WATCHING, *STATE, *COPIES,
        *MOVES, "select flags from readings", "select * from people",
    ),
    "score": (
        *AUDIT_OF_PEOPLE, *ACCOUNTS, *NAMES, *ALERTS, *PLANS, *RAW, *WATCHING, *CLUSTER,
        "copy people (person_no, display_name) to stdout", "copy doctors to stdout", "select valid from care_relations",
        "delete from limits", "insert into limits (concern) values ('heart_rate.high')",
        "update rule_versions set artefact = ''", "update findings set claimed_at = now()", "delete from findings",
        "update held_readings set decided_by = 1", "select * from assignments",
    ),
    "medication": (
        *AUDIT_OF_PEOPLE, *ACCOUNTS, *NAMES, *ALERTS, *LIMITS, *WATCHING, *STATE, *CLUSTER, *COPIES,
        *MOVES, "select value from readings", "select * from readings", "select raw from rejected",
        "update device_cursor set floor = 0", "select evidence from findings", "update findings set claimed_at = now()",
        "update dose_plan_versions set drug = 'x'", "insert into dose_plans (plan_id) values (gen_random_uuid())",
        "select valid from care_relations", "select valid from bindings",
    ),
    "alert": (
        *AUDIT_OF_PEOPLE, *ACCOUNTS, *PLANS, *LIMITS, *RAW, *WATCHING, *STATE, *CLUSTER, *MOVES,
        "copy readings to stdout", "copy doctors to stdout",
        "select value from readings", "select * from readings", "select details from device_events",
        "select born_on from people", "select device from devices", "select valid from bindings",
        "insert into findings (finding_id) values (gen_random_uuid())", "update findings set severity = 1",
        "delete from findings", "delete from notifications", "update alerts set acknowledged_by = 1",
        "insert into alert_outcomes (note) values ('x')", "update receiver_secrets set sealed = 'x'",
        "insert into receiver_secrets (doctor_no) values (1)", "delete from quiet_hours",
    ),
    "api": (
        *RAW, *WATCHING, *STATE, *CLUSTER, *MOVES,
        "insert into findings (finding_id) values (gen_random_uuid())", "update findings set claimed_at = now()",
        "delete from findings", "insert into readings (person_no) values (1)", "select details from device_events",
        "select address from contact_addresses", "select sealed from receiver_secrets",
        "insert into doses (dose_id) values (gen_random_uuid())",
        "delete from dose_evidence", "delete from notifications", "delete from alerts",
        "update limits set levels = '[]'",
        "update rule_versions set artefact = ''", "delete from rule_versions",
        "insert into notifications (alert_id) values (gen_random_uuid())",
    ),
    "watch": (
        *AUDIT_OF_PEOPLE, *ACCOUNTS, *NAMES, *VALUES, *ALERTS, *PLANS, *FINDINGS, *LIMITS, *RAW, *STATE, *CLUSTER,
        *COPIES, *MOVES, "select device from devices", "delete from platform_incidents",
        "select pg_advisory_xact_lock(1)",
        "update notifications set state = 'sent'",
    ),
    "follow": (
        *AUDIT_OF_PEOPLE, *ACCOUNTS, *NAMES, *VALUES, *ALERTS, *PLANS, *FINDINGS, *LIMITS, *RAW, *WATCHING, *STATE,
        *CLUSTER, *COPIES, *MOVES, "select home_no from devices", "update devices set removed_at = null",
        "select issued_at from device_credentials", "delete from device_credentials",
    ),
}  # fmt: skip
FOR_THE_FOLLOWER: Final = ("select verifier from device_credentials", "select next_verifier from device_credentials")


def forbidden_to(service: str) -> tuple[str, ...]:
    """Everything that is tried as a service's role."""
    others = [role_of(other) for other in DATABASE_SERVICES if other != service]
    verifiers = () if service == "follow" else FOR_THE_FOLLOWER
    return (*FOR_NOBODY, *verifiers, *(f"set role {other}" for other in others), *FOR_OTHERS[service])
