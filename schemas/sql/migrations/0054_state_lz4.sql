-- What score writes again every few seconds is squeezed: a third of the bytes in the log of the database.

-- By lz4, which costs less than writing what it saves; pglz costs more, so where a server has no lz4 nothing changes.
-- A page keeps room for the next version of its rows, so that no index has to be written.
do $$
begin
    if (select 'lz4' = any (enumvals) from pg_settings where name = 'default_toast_compression') then
        alter table score_state alter column state set storage extended, alter column state set compression lz4;
        alter table score_days alter column state set storage extended, alter column state set compression lz4;
        alter table score_state set (fillfactor = 50);
    end if;
end;
$$;
