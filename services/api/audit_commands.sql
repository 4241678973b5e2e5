-- name: seals_after
-- The chain from a number on.
select seal_no, source, row_no, sealed_at, marks, seal from audit.seals
where seal_no > $1 and seal_no <= $2 order by seal_no limit $3;

-- name: added_to_audit
-- Of the rows after number $1, $2 at a time: whether each neither has a seal nor waits for one.
select audit_no as row_no,
       not exists (select from audit.seals s where s.source = 'audit' and s.row_no = audit_no)
       and not exists (select from audit.unsealed u where u.source = 'audit' and u.row_no = audit_no) as added
from audit where audit_no > $1 order by audit_no limit $2;

-- name: added_to_register_changes
-- The same of what was done by command.
select change_no as row_no,
       not exists (select from audit.seals s where s.source = 'register_changes' and s.row_no = change_no)
       and not exists (select from audit.unsealed u where u.source = 'register_changes' and u.row_no = change_no) as added
from register_changes where change_no > $1 order by change_no limit $2;

-- name: added_to_assignments
-- The same of what was assigned.
select assignment_no as row_no,
       not exists (select from audit.seals s where s.source = 'assignments' and s.row_no = assignment_no)
       and not exists (select from audit.unsealed u where u.source = 'assignments' and u.row_no = assignment_no) as added
from assignments where assignment_no > $1 order by assignment_no limit $2;

-- name: gone_before_sealed
-- Rows that wait for a seal and are not there.
select source, row_no from audit.unsealed
where not case source
    when 'audit' then exists (select from audit where audit_no = row_no)
    when 'register_changes' then exists (select from register_changes where change_no = row_no)
    else exists (select from assignments where assignment_no = row_no)
end order by source, row_no;

-- name: looks_at_person
-- Who looked at or changed what is about a person ($1 their number, $2 their id), the newest first.
select at, account, what, allowed from (
    select happened_at as at, recorded_at, coalesce(email, '') as account, action as what, allowed
    from audit left join doctors using (doctor_no)
    where people @> array[$1::integer]
       or alert_id in (select alert_id from alerts join people using (home_no) where alerts.person_no = 0 and people.person_no = $1)
    union all
    select changed_at, recorded_at, changed_by, command || case subject when $2::text then '' else ' ' || subject end, true
    from register_changes where subject = $2::text or details ->> 'person' = $2::text or details -> 'people' ? $2::text
    union all
    select assigned_at, recorded_at, assigned_by, 'assign', true from assignments where person_no = $1
) as looks order by at desc, recorded_at desc;

-- name: person_no
-- The number of a person.
select person_no from people where person_id = $1;
