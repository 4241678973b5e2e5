-- The right to end viewers' sessions, without that to end anybody else's.

-- Ends viewers' sessions, in whatever database, whose transaction began before a moment. It runs as its owner, who owns
-- the server or holds pg_signal_backend and pg_read_all_stats: whoever may call it needs none of these. Whoever owns the
-- server is a member of every role, and no viewer.
create function end_old_viewers(p_before timestamptz)
returns table (login text, ended boolean)
language sql volatile security definer set search_path = pg_catalog, public, pg_temp
begin atomic
    select activity.usename::text, pg_terminate_backend(activity.pid)
    from pg_stat_activity activity join pg_roles role on role.oid = activity.usesysid
    where activity.xact_start < p_before and not role.rolsuper and activity.usename <> current_user
      and (
          pg_has_role(role.oid, 'hearthbeat_caregiver', 'usage') or pg_has_role(role.oid, 'hearthbeat_operator', 'usage')
      );
end;

revoke all on function end_old_viewers(timestamptz) from public;
