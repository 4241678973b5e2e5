-- What is held, and waits for somebody to say whose it is, stands on the lists of doctors.

-- What is held of a person, by device, vital, and what explains it, where the first was received by p_received_by.
-- held_id: the first reading of the oldest measurement; since: when that was made; measurements: how many wait.
create function held_since(p_person integer, p_received_by timestamptz)
returns table (
    held_id uuid, since timestamptz, measurements bigint, reason text, unit text, fits_person_no integer
)
language sql stable
begin atomic
    -- A measurement has the id of its first reading.
    select (array_agg(h.held_id order by h.observed_at, h.held_id))[1], min(h.observed_at), count(*), h.reason, h.unit,
           h.fits_person_no
    from held_readings h
    where h.person_no = p_person and h.state = 'open' and h.is_held and h.held_id = h.measurement_id
    group by h.device_no, h.vital, h.reason, h.unit, h.fits_person_no
    having min(h.received_at) <= p_received_by;
end;

-- What is held is of no rule. held_id: as held_since says; waiting: how many measurements it was then.
alter table morning_list_entries
    alter column rule drop not null,
    add column held_id uuid references held_readings,
    add column waiting integer,
    drop constraint morning_list_entries_kind_check,
    add constraint morning_list_entries_kind_check
        check (kind in ('open', 'recovered', 'held', 'listed', 'retrospective')),
    add check ((kind = 'held') = (held_id is not null)),
    add check ((kind = 'held') = (waiting is not null)),
    add check ((kind = 'held') = (rule is null));
