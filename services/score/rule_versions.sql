-- name: rule_versions_mark
-- Another one where a version was written since.
select count(*) from rule_versions;

-- name: rule_versions
-- Which fitted model runs where, in the order in which that was written.
select rule, variant, artefact, change, round(extract(epoch from valid_from) * 1000)::bigint as from_ms
from rule_versions order by version_no;

-- name: see_fitted_models
-- What lies among the artefacts of this score.
insert into fitted_models (name, rule, is_shipped, seen_at)
select name, rule, is_shipped, $4 from unnest($1::text[], $2::text[], $3::boolean[]) as seen (name, rule, is_shipped)
on conflict (name) do update set is_shipped = excluded.is_shipped, seen_at = excluded.seen_at;

-- name: lock_rule_versions
-- So that no doctor chooses a model meanwhile.
select pg_advisory_xact_lock(7001072);

-- name: ship_rule_versions
-- What a release has brought runs from $3 on, where nobody has chosen another; from the first time on where it is new.
insert into rule_versions (rule, variant, artefact, change, valid_from, written_at, author, reason)
select shipped.rule, 'live', shipped.artefact, 'shipped', $3, $4, 'hearthbeat', 'a release'
from unnest($1::text[], $2::text[]) as shipped (rule, artefact)
left join lateral (
    select v.artefact, v.change from rule_versions v where v.rule = shipped.rule and v.variant = 'live'
    order by v.valid_from desc, v.version_no desc limit 1
) newest on true
where newest.artefact is null or (newest.change = 'shipped' and newest.artefact <> shipped.artefact)
order by shipped.rule;
