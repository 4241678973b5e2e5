-- Since when somebody has lived in which home, of those who have moved; of others people.home_no holds for all time.

-- A new one begins 10 s after its commit, as versions of limits do, so that score is never wrong about it.
create table residences (
    person_no integer not null references people on delete cascade,
    home_no integer not null references homes,
    valid tstzrange not null check (not isempty(valid)),
    exclude using gist (person_no with =, valid with &&)
);
