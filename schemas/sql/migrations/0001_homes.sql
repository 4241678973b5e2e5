-- Homes, people, devices, bindings, doctors and whom they care for; the register command writes it.
create extension if not exists btree_gist;

create table homes (
    home_no integer primary key generated always as identity,
    home_id uuid not null unique,
    label text not null,
    time_zone text not null
);

create table people (
    person_no integer primary key generated always as identity,
    person_id uuid not null unique,
    home_no integer not null references homes,
    display_name text not null,
    born_on date not null
);
create index people_by_home on people (home_no);

create table devices (
    device_no integer primary key generated always as identity,
    device text not null unique,
    device_type text not null,
    home_no integer not null references homes,
    shard smallint not null check (shard between 0 and 63),
    registered_at timestamptz not null
);
create index devices_by_home on devices (home_no);

-- (device, slot) belongs to a person over a time range; no two people at once.
create table bindings (
    binding_no integer primary key generated always as identity,
    device_no integer not null references devices,
    slot smallint not null default 1,
    person_no integer not null references people,
    valid tstzrange not null check (not isempty(valid)),
    exclude using gist (device_no with =, slot with =, valid with &&)
);
create index bindings_by_person on bindings (person_no);

create table doctors (
    doctor_no integer primary key generated always as identity,
    email text not null unique,
    display_name text not null,
    password_hash text
);

create table care_relations (
    doctor_no integer not null references doctors,
    person_no integer not null references people,
    valid tstzrange not null check (not isempty(valid)),
    exclude using gist (doctor_no with =, person_no with =, valid with &&)
);
create index care_relations_by_person on care_relations (person_no);
