-- A register file and doctors change the same plans.

-- register_key: in short, what the file said of the plan at its last import; while it says the same, the plan stays as
-- it is, also where a doctor has edited it since. Null: no file has said anything, or the last one left it out.
alter table dose_plans add column register_key text;
