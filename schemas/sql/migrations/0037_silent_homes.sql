-- A whole home can be silent: then no device stands in the row, and none of the home gets a silence of its own.
alter table silences alter column device_no drop not null;
alter table silences add constraint a_silent_home_is_nobodys check (device_no is not null or person_no = 0);
create unique index one_open_silence_of_a_home on silences (home_no) where device_no is null and ended_at is null;
create index silences_of_homes on silences (home_no, ended_at) where device_no is null;
