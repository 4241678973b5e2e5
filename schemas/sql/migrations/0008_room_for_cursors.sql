-- A cursor is written with every batch its device is in. With room on its page the new version stays there and no
-- index is touched.
alter table device_cursor set (fillfactor = 40);
