-- name: people
-- Whom this caregiver may see, as the choices of the dashboard's variable.
select label as "__text", person_id as "__value" from caregiver_people() order by label;

-- name: open_alert_count
-- How many alerts wait for the doctor.
select count(*) filter (where state = 'open') as "Waiting" from caregiver_alerts({person});

-- name: doses_open_today
-- How many of today's doses were taken, and of how many; what a doctor has paused was not asked for.
select count(*) filter (where state in ('taken', 'early', 'late', 'double')) || ' of '
           || count(*) filter (where state <> 'held') as "Taken today",
       count(*) filter (where state = 'missed') as "Missed today"
from caregiver_doses({person}, $__timeTo(), 1) where not as_needed;

-- name: last_heard
-- How long ago the newest reading of any vital was taken.
select min(age_s) as "Newest reading"
from caregiver_latest_vitals({person}, {all_vitals}, $__timeTo());

-- name: open_alerts
-- What is not closed yet, the most urgent first, in the words for caregivers.
select opened_at as "Since",
       case severity when 3 then 'urgent' when 2 then 'soon' when 1 then 'note' else 'technical' end as "How urgent",
       caregiver_text as "What happened",
       case when state = 'open' then 'waiting for the doctor' else 'the doctor has seen it' end
           || case when over then ', over as far as is known' else '' end
           || case when unverified then ', not verified' else '' end as "Where it stands"
from caregiver_alerts({person}) order by severity desc, opened_at;

-- name: latest_vitals
-- The newest value of each vital with its age; old is longer ago than its row of presentation says.
-- What a sensor can't measure is a bound; of increments their sum over a time up to now is shown, as on the console.
select known.label as "Vital",
       case when known.summed_s is not null then trim(to_char((
                select coalesce(sum(total), 0) from caregiver_series({person}, known.vital::smallint,
                    $__timeTo()::timestamptz - make_interval(secs => known.summed_s),
                    $__timeTo()::timestamptz + interval '1 microsecond', 60)), known.format))
            else case when not latest.clipped then '' when latest.value < known.clipped_low then 'below ' else 'above ' end
           || trim(to_char(case when latest.clipped then least(greatest(latest.value, known.clipped_low), known.clipped_high)
                                else latest.value end, known.format)) end || known.unit as "Value",
       latest.observed_at as "Measured",
       latest.age_s as "Age",
       case when latest.age_s > known.fresh_s then 'old' else 'current' end as "State"
from (values {vital_rows}) as known (vital, label, format, unit, fresh_s, clipped_low, clipped_high, summed_s)
join caregiver_latest_vitals({person}, {all_vitals}, $__timeTo()) latest on latest.vital = known.vital
order by known.vital;

-- name: watched
-- How much of the last 24 hours each vital was watched, and how long it was not for which reason.
select known.label as "Vital",
       to_char(watched / 60.0, 'FM990.0') || ' of 24 h' as "Watched",
       (select string_agg(words || ' ' || to_char(minutes / 60.0, 'FM990.0') || ' h', ', ' order by minutes desc)
        from (values {causes}) as cause (minutes, words) where minutes > 0) as "Not watched"
from (values {figure_rows}) as known (vital, label)
join caregiver_watched({person}, {all_vitals}, $__timeTo()) seen on seen.vital = known.vital
order by known.vital;

-- name: doses_of_the_day
-- Each dose of today and what became of it; of a dispenser that was not heard since, nothing is known.
select due_at as "Due",
       trim(drug || ' ' || strength) || case when count = 1 then '' else ', ' || count || ' of it' end
           || case when as_needed then ' (as needed)' when time_critical then ' (time-critical)' else '' end as "Medicine",
       case state when 'pending' then 'later today' when 'held' then 'paused'
                  when 'unknown' then 'not known: dispenser not heard' when 'double' then 'taken more than once'
                  else state end as "State",
       taken_at as "Taken"
from caregiver_doses({person}, $__timeTo(), 1) order by due_at, drug;

-- name: dose_notices
-- Doses of the last two days that were not taken by the end of their time, and what has become of them since.
select at as "When", trim(drug || ' ' || strength) as "Medicine", caregiver_text as "What happened",
       case when taken_at is not null then 'taken since, ' || to_char(taken_at at time zone zone, 'HH24:MI')
            when state = 'missed' then 'missed' when state = 'held' then 'paused'
            when state = 'unknown' then 'not known: dispenser not heard' else 'not taken yet' end as "State"
from caregiver_dose_notices({person}, $__timeTo(), 2);

-- name: supplies
-- How much of each medicine is left where somebody has counted it, and until when it lasts.
select trim(drug || ' ' || strength) as "Medicine", left_count as "Left",
       (runs_out_at at time zone zone)::date::text as "Runs out",
       case when refill_due then 'refill due' when runs_out_at is null then 'no end foreseen' else 'enough' end as "State",
       as_of as "As of"
from caregiver_supplies({person}, $__timeTo());

-- name: dose_days
-- Doses of each of the last 14 days, by what became of them.
select local_date::timestamptz as "time",
       count(*) filter (where state in ('taken', 'early')) as "On time",
       count(*) filter (where state = 'late') as "Late",
       count(*) filter (where state = 'double') as "More than once",
       count(*) filter (where state = 'missed') as "Missed",
       count(*) filter (where state = 'unknown') as "Not known",
       count(*) filter (where state = 'held') as "Paused",
       count(*) filter (where state in ('pending', 'reminded')) as "Not due yet"
from caregiver_doses({person}, $__timeTo(), 14) where not as_needed group by local_date order by local_date;

-- name: band
-- Lowest, mean and highest of each bucket; after a gap an empty row, so that nothing is drawn where nothing was measured.
with series as (
    select bucket_at, lowest, mean, highest, lead(bucket_at) over (order by bucket_at) as next_at
    from caregiver_series({person}, {vital}::smallint, $__timeFrom(), $__timeTo(), {bucket_s})
)
select bucket_at as "time", lowest as "Lowest", mean as "Mean", highest as "Highest" from series
union all
select bucket_at + make_interval(secs => {bucket_s}), null, null, null from series
where next_at - bucket_at > make_interval(secs => greatest({gap_s}, 3 * {bucket_s}))
order by 1;

-- name: points
-- Each measurement of a device that is used at will: points, no line in between.
select bucket_at as "time", mean as "{label}"
from caregiver_series({person}, {vital}::smallint, $__timeFrom(), $__timeTo(), 60) order by 1;

-- name: pairs
-- Two vitals that are measured together, as points, no line in between.
select bucket_at as "time", upper.mean as "{upper_label}", under.mean as "{under_label}"
from caregiver_series({person}, {upper}::smallint, $__timeFrom(), $__timeTo(), 60) upper
full join caregiver_series({person}, {under}::smallint, $__timeFrom(), $__timeTo(), 60) under using (bucket_at)
order by 1;

-- name: hours
-- The increments of each hour, summed up.
select bucket_at as "time", total as "{label}"
from caregiver_series({person}, {vital}::smallint, $__timeFrom(), $__timeTo(), 3600) order by 1;

-- name: behind
-- How far the platform's present is ahead of what store and score have committed, in seconds.
select extract(epoch from $__timeTo()::timestamptz - stored_up_to)::float8 as "store",
       extract(epoch from $__timeTo()::timestamptz - scored_up_to)::float8 as "score"
from operator_platform;

-- name: platform
-- Which platform this is.
select generation as "Generation", bus_partitions as "Partitions", timescaledb as "TimescaleDB",
       watermark_at as "Watermark", key_conflicts as "Duplicates caught by the key"
from operator_platform;

-- name: traffic
-- Uplinks, readings, events and refused items by the minute of their reception.
select minute_at as "time", uplinks as "Uplinks", readings as "Readings", events as "Events", rejected as "Rejected"
from operator_traffic($__timeFrom(), $__timeTo()) order by 1;

-- name: rejected
-- Why items were rejected, and of how many devices.
select reason as "Reason", items as "Items", devices as "Devices"
from operator_rejected($__timeFrom(), $__timeTo()) order by items desc;

-- name: waiting
-- What waits to be worked on, and since when.
select what as "Waiting", items as "Items", oldest_at as "Oldest" from operator_waiting order by what;

-- name: notifications
-- Notifications by channel and what became of them.
select channel as "Channel", state as "State", notifications as "Notifications", attempts as "Attempts", newest_at as "Newest"
from operator_notifications order by channel, state;

-- name: alerts_by_state
-- How many alerts are open or acknowledged, by severity.
select case severity when 3 then 'high' when 2 then 'medium' when 1 then 'low' else 'technical' end as "Severity",
       state as "State", alerts as "Alerts", oldest_at as "Oldest"
from operator_alerts order by severity desc, state;

-- name: outcomes
-- How often alerts of each rule began to wait for a doctor, and what came of it. Nothing is divided by nothing.
select replace(rule, '_', ' ') as "Rule", openings as "Alerts", acknowledged as "Taken on",
       median_s as "Median until taken on", said_real as "Real", said_false as "False", said_unclear as "Unclear",
       case when said_real + said_false = 0 then 'not known'
            else round(100.0 * said_real / (said_real + said_false)) || ' %' end as "Real, of real and false"
from operator_outcomes($__timeFrom(), $__timeTo()) order by rule;

-- name: model_drift
-- Whether what each model was asked looks like what it was fitted on: by the feature that is the furthest off.
select distinct on (model, fitted)
       replace(model, '_', ' ') as "Model", rows as "Rows", people as "People", last_day::text as "Last day",
       replace(feature, '_', ' ') as "Furthest off", round(stability_index::numeric, 3)::float8 as "Index",
       case when rows < {least_rows} or people < {least_people} then 'too little to say'
            when stability_index < {shifted} then 'as at training'
            when stability_index < {drifted} then 'shifted' else 'unlike training' end as "State"
from operator_model_drift($__timeFrom(), $__timeTo())
order by model, fitted, stability_index desc nulls last, feature;

-- name: devices_heard
-- How many devices of each type were heard.
select device_type as "Type", registered as "Registered", heard_within_hour as "Heard within an hour",
       heard_within_day as "Heard within a day"
from operator_devices($__timeTo()) order by device_type;

-- name: incidents
-- What the auditor finds wrong with the platform: what is open, and what was open in the range.
select kind as "Incident", subject as "What", case when ended_at is null then 'open' else 'over' end as "State",
       opened_at as "Since", ended_at as "Until", detail as "Detail"
from operator_incidents
where ended_at is null or ended_at >= $__timeFrom() and opened_at < $__timeTo()
order by ended_at is null desc, opened_at desc limit 50;
