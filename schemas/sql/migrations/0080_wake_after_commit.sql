-- Nothing that matters notifies in its own transaction any more: such a commit fails when the server's queue of
-- notifications is full, and any login that listens and sleeps can fill it. Who waits is woken after the commit
-- (services/runtime/wakeups.py), and looks by itself each second.
drop trigger findings_are_announced on findings;
drop function notify_findings();

-- True for the one caller who acknowledges an open alert at the version they saw.
create or replace function acknowledge_alert(p_alert uuid, p_doctor integer, p_note text, p_version integer, p_at timestamptz)
returns boolean language plpgsql as $$
declare
    seen alerts;
begin
    update alerts set
        state = case when ended_at is null then 'acknowledged' else 'closed' end,
        closed_at = case when ended_at is null then null else p_at end,
        acknowledged_at = p_at, acknowledged_by = p_doctor, acknowledged_note = p_note, version = version + 1
    where alert_id = p_alert and state = 'open' and version = p_version
    returning * into seen;
    if not found then
        return false;
    end if;
    update escalation_steps set state = 'cancelled' where alert_id = p_alert and state = 'pending';
    insert into alert_audit (alert_id, at, doctor_no, what, from_state, to_state, level, note)
    values (p_alert, p_at, p_doctor, 'acknowledged', 'open', 'acknowledged', seen.level, p_note);
    if seen.state = 'closed' then
        insert into alert_audit (alert_id, at, what, from_state, to_state, level)
        values (p_alert, p_at, 'closed', 'acknowledged', 'closed', seen.level);
    end if;
    return true;
end
$$;
