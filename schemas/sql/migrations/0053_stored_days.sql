-- Score: days of people before score counted them, or counted them whole, filled in once from the stored readings.

-- state: closed days by vital, as in score_days, until they are put there; then null. Who has a row is not looked at again.
create table score_stored_days (
    person_no integer primary key,
    state json storage external
);
create index score_stored_days_to_take on score_stored_days (person_no) where state is not null;
