-- A month of one vital by the minute is 43,200 rows, each on a page of its own, for people's readings lie mixed as they
-- came. With value and flags in the index of the key they are read from a few hundred pages that lie together. On a table
-- that is full this builds the index anew and locks the table meanwhile.
alter table readings drop constraint readings_pkey;
alter table readings
    add primary key (person_no, vital, observed_at, device_no, epoch, seq, item) include (value, flags);
