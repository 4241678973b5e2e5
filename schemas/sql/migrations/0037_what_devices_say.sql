-- Silence of whole homes, and what devices say of themselves.

-- A whole home can be silent: then no device stands in the row, and none of the home gets a silence of its own.
alter table silences alter column device_no drop not null;
alter table silences add constraint a_silent_home_is_nobodys check (device_no is not null or person_no = 0);
create unique index one_open_silence_of_a_home on silences (home_no) where device_no is null and ended_at is null;
create index silences_of_homes on silences (home_no, ended_at) where device_no is null;

-- What devices, or the broker in their place, said last of themselves on their status topics. since: of that state.
-- leaving: an offline device said so itself; else it is its last will.
create table device_status (
    device_no integer primary key references devices,
    state text not null check (state in ('online', 'offline')),
    leaving boolean not null,
    since timestamptz not null,
    said_at timestamptz not null,
    battery_percent double precision check (battery_percent between 0 and 100),
    battery_at timestamptz,
    firmware text,
    check ((battery_percent is null) = (battery_at is null))
);
