-- What a finding says, without its words: key and facts of the sentence. And why an episode ended.

-- Null in findings of before.
alter table findings
    add column message text,
    add column facts jsonb,
    add column end_reason text check (end_reason in ('recovered', 'turned', 'disproved', 'no_data')),
    add check (end_reason is null or level = 0);
