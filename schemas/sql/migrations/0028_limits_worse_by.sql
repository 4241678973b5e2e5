-- Limits say by how much a value has to be worse to be said again, and each row of their levels says which level it is.

-- Null in versions of before: that of the platform's default of the concern. Their levels are by position; since then
-- each is {on, inclusive, persist_min, severity, level, least, moving}, and several may be of one level.
alter table limits add column worse_by double precision;
