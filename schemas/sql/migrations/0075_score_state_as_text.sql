-- A state is written every few seconds and read once, at a start: to take it apart at each writing costs more than all
-- the rest of the writing. As json it is kept as it comes. (A new type brings its own way of storing, hence the second
-- line.)
alter table score_state alter column state type json using state::json;
alter table score_state alter column state set storage external;
