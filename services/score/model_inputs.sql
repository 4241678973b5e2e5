-- name: add_model_inputs
-- Adds counts of a day ($1) and feature, by bin; people are those of one process since it began.
insert into model_inputs (day, model, fitted, feature, instance, shares, counts, people)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (day, model, fitted, feature, instance) do update
set counts = array(
        select kept.count + news.count
        from unnest(model_inputs.counts) with ordinality as kept (count, place)
        join unnest(excluded.counts) with ordinality as news (count, place) using (place)
        order by place
    ),
    people = greatest(model_inputs.people, excluded.people);

-- name: forget_model_inputs
-- Days before $1.
delete from model_inputs where day < $1;
