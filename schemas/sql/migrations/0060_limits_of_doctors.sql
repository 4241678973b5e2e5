-- Limits that a doctor has set for one person say who did it and why; of others doctor_no is null and reason empty.

alter table limits add column doctor_no integer references doctors, add column reason text not null default '';
