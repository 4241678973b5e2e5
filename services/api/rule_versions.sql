-- name: models_known
-- The fitted models that score has found, the newest first.
select name, rule, is_shipped, seen_at from fitted_models order by rule, is_shipped desc, seen_at desc, name;

-- name: models_chosen
-- What was done about models, the newest last; those of doctors with their names.
select v.version_no, v.rule, v.variant, v.artefact, v.change, v.valid_from, v.written_at, v.author, v.reason,
       d.display_name as doctor
from rule_versions v left join doctors d using (doctor_no) order by v.version_no;

-- name: findings_by_rule
-- What each of the rules $1 has found of everybody from its moment in $2 on, to $3, at a level above 0: live and in the
-- shadow, and of how many people.
with asked as (select * from unnest($1::text[], $2::timestamptz[]) as row (rule, since))
select rule, 'live' as variant, count(*) as findings, count(distinct person_no) as people
from asked join findings using (rule) where raised_at >= since and raised_at < $3 and level > 0 group by rule
union all
select rule, 'shadow', count(*), count(distinct person_no)
from asked join shadow_findings using (rule) where raised_at >= since and raised_at < $3 and level > 0 group by rule;

-- name: lock_rule_versions
-- So that two changes come one after the other, and what a release brings does not come in between. A lock on the table
-- would take the right to change what was written.
select pg_advisory_xact_lock(7001072);

-- name: add_rule_version
-- From $6 on, another model runs in that place; never before what was chosen last begins.
insert into rule_versions (rule, variant, artefact, change, valid_from, written_at, doctor_no, author, reason)
select $1, $2, $3, $4, greatest($5::timestamptz, (
    select max(valid_from) + interval '1 millisecond' from rule_versions where rule = $1 and variant = $2
)), $6, $7, $8, $9;
