"""Every metric name, its unit in the name; one row each."""

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric. Never a person or a device as a label; ``buckets`` are in the unit that the name ends with."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


LATENCY_BUCKETS_S: Final = tuple(round(0.001 * 1.25**step, 6) for step in range(52))
"""From 1 ms to 87 s, a quarter more each."""

METRICS: Final[tuple[Metric, ...]] = (
    Metric(
        name="hb_ingest_uplinks_total",
        kind="counter",
        help="Uplinks passed on to the bus.",
    ),
    Metric(
        name="hb_ingest_items_total",
        kind="counter",
        help="Items judged, by what becomes of them.",
        labels=("outcome",),
    ),
    Metric(
        name="hb_ingest_rejected_total",
        kind="counter",
        help="Items (or whole uplinks) to be rejected, by reason.",
        labels=("reason",),
    ),
    Metric(
        name="hb_ingest_statuses_total",
        kind="counter",
        help="Words of devices about themselves, by what became of them.",
        labels=("outcome",),
    ),
    Metric(name="hb_ingest_sessions_lost_total", kind="counter", help="Connects that found no session at the broker."),
    Metric(name="hb_ingest_retries_total", kind="counter", help="Appends to the bus that had to be repeated."),
    Metric(name="hb_ingest_throttled_total", kind="counter", help="Uplinks beyond what their device may send."),
    Metric(
        name="hb_ingest_retained_total",
        kind="counter",
        help="Devices whose uplinks came with the retain flag, by burst; they are taken and cleared at the broker.",
    ),
    Metric(name="hb_ingest_acks_total", kind="counter", help="Device acks published."),
    Metric(name="hb_store_readings_total", kind="counter", help="Readings stored."),
    Metric(name="hb_store_events_total", kind="counter", help="Events stored."),
    Metric(name="hb_store_rejected_total", kind="counter", help="Items rejected."),
    Metric(name="hb_store_duplicates_total", kind="counter", help="Uplinks that were settled already."),
    Metric(name="hb_store_key_conflicts_total", kind="counter", help="Rows the unique key caught: a bug if not zero."),
    Metric(
        name="hb_store_refusals_total",
        kind="counter",
        help="Looks at a database that is another or an earlier one than the bus knows: run services.restore.",
    ),
    Metric(
        name="hb_store_unregistered_total",
        kind="counter",
        help="Uplinks of devices that the restored database does not know.",
    ),
    Metric(
        name="hb_store_trimmed_total",
        kind="counter",
        help="Rows of what was rejected whose bytes were trimmed.",
    ),
    Metric(
        name="hb_store_forgotten_total", kind="counter", help="Rows of what was rejected that were old and forgotten."
    ),
    Metric(name="hb_store_retries_total", kind="counter", help="Batches that had to be repeated."),
    Metric(
        name="hb_store_device_to_row_seconds",
        kind="histogram",
        help="From the device's transmission to the committed row, real seconds.",
        buckets=LATENCY_BUCKETS_S,
    ),
    Metric(name="hb_alert_findings_total", kind="counter", help="Findings claimed."),
    Metric(
        name="hb_alert_changes_total",
        kind="counter",
        help="What findings did to alerts.",
        labels=("happened",),
    ),
    Metric(name="hb_alert_unreachable_total", kind="counter", help="Alerts that no doctor could be notified of."),
    Metric(name="hb_alert_repeats_total", kind="counter", help="Times that people were notified again."),
    Metric(
        name="hb_alert_attempts_total",
        kind="counter",
        help="Attempts at a notification, by channel and how they went.",
        labels=("channel", "outcome", "reason"),
    ),
    Metric(
        name="hb_alert_withdrawn_total",
        kind="counter",
        help="Notifications that were not needed any more when their time came.",
    ),
    Metric(
        name="hb_alert_held_total",
        kind="counter",
        help="Notifications that quiet hours have held, by what became of them when the hours ended.",
        labels=("state",),
    ),
    Metric(name="hb_alert_lists_total", kind="counter", help="Morning lists that were made."),
    Metric(
        name="hb_alert_list_attempts_total",
        kind="counter",
        help="Attempts at sending a morning list, by channel and how they went.",
        labels=("channel", "outcome", "reason"),
    ),
    Metric(name="hb_medication_doses_total", kind="counter", help="Doses that settled, by state.", labels=("state",)),
    Metric(
        name="hb_medication_findings_total", kind="counter", help="Findings about doses, by level.", labels=("level",)
    ),
    Metric(name="hb_medication_commands_total", kind="counter", help="Commands published to devices."),
    Metric(name="hb_api_sign_ins_total", kind="counter", help="Passwords tried, by outcome.", labels=("outcome",)),
    Metric(name="hb_api_acknowledgements_total", kind="counter", help="Alerts acknowledged by doctors."),
    Metric(name="hb_api_live_streams_total", kind="counter", help="Live worklists opened."),
    Metric(name="hb_api_audit_sealed_total", kind="counter", help="Rows of the audit that got their seal."),
    Metric(name="hb_api_audit_unsealed_rows", kind="gauge", help="Rows of the audit that wait for their seal."),
    Metric(
        name="hb_api_audit_unsealed_seconds",
        kind="gauge",
        help="For how long the oldest row of the audit without a seal has waited, real seconds; 0: none waits.",
    ),
    Metric(
        name="hb_api_audit_anchors_total",
        kind="counter",
        help="Anchors of the audit, by whether they were written outside of the database.",
        labels=("outcome",),
    ),
    Metric(
        name="hb_api_audit_verified_timestamp_seconds",
        kind="gauge",
        help="When the audit was last compared with its seals, Unix seconds; 0: never, as far as is known here.",
    ),
    Metric(
        name="hb_api_audit_faults_rows",
        kind="gauge",
        help="Rows and anchors that this comparison found changed, missing or added.",
    ),
    Metric(
        name="hb_score_asks_total",
        kind="counter",
        help="What people were asked after a reading, by the type of device that asks; nobody: none can.",
        labels=("kind", "through"),
    ),
    Metric(
        name="hb_score_asks_settled_total",
        kind="counter",
        help="Asks with an outcome, by outcome.",
        labels=("outcome",),
    ),
    Metric(
        name="hb_score_doubted_total",
        kind="counter",
        help="Measurements that another unit or a room-mate explains better, by what, and whether they were held.",
        labels=("reason", "held"),
    ),
    Metric(name="hb_score_uplinks_total", kind="counter", help="Uplinks scored."),
    Metric(name="hb_score_duplicates_total", kind="counter", help="Uplinks that had been scored already."),
    Metric(name="hb_score_late_readings_total", kind="counter", help="Readings older than the window of their rule."),
    Metric(
        name="hb_score_repeated_readings_total",
        kind="counter",
        help="Readings that had been sent before, under another number.",
    ),
    Metric(
        name="hb_score_findings_total",
        kind="counter",
        help="Findings written, by rule and level.",
        labels=("rule", "level"),
    ),
    Metric(
        name="hb_score_shadow_findings_total",
        kind="counter",
        help="Findings of variants that are only tried; they alert nobody.",
        labels=("rule", "level"),
    ),
    Metric(
        name="hb_score_finding_conflicts_total",
        kind="counter",
        help="Findings whose id another finding has: a bug if not zero.",
    ),
    Metric(name="hb_score_checkpoints_lost_total", kind="counter", help="Checkpoints that somebody else had moved."),
    Metric(
        name="hb_score_unregistered_total",
        kind="counter",
        help="Devices whose uplinks are passed over, since the restored database does not know them.",
    ),
    Metric(
        name="hb_score_rule_without_model_state",
        kind="gauge",
        help="1: the rule says nothing, since what it has learned is missing or does not fit; the log says why.",
        labels=("rule",),
    ),
    Metric(
        name="hb_score_limits_refused_total",
        kind="counter",
        help="Versions of limits that contradict themselves and are not used; each reading of the table counts.",
    ),
    Metric(
        name="hb_score_model_rows_total",
        kind="counter",
        help="Rows of features that were looked at for drift, by model.",
        labels=("model",),
    ),
    Metric(
        name="hb_score_model_drift_ratio",
        kind="gauge",
        help="Population stability index of a feature, today and the day before, against training; NaN: too little.",
        labels=("model", "feature"),
    ),
    Metric(name="hb_score_retries_total", kind="counter", help="Writes that had to be repeated."),
    Metric(
        name="hb_process_waiting_state",
        kind="gauge",
        help="1 while work stands still because of a server.",
        labels=("on",),
    ),
    Metric(
        name="hb_process_wakeups_failed_total",
        kind="counter",
        help="Wake-ups of other processes that the database did not take; these look by themselves each second.",
        labels=("news",),
    ),
    Metric(
        name="hb_process_rounds_total",
        kind="counter",
        help="Rounds of work that is looked for again and again, by work.",
        labels=("work",),
    ),
    Metric(name="hb_process_started_timestamp_seconds", kind="gauge", help="When the process began, Unix seconds."),
    Metric(name="hb_watch_audits_total", kind="counter", help="Rounds over the whole platform."),
    Metric(name="hb_watch_incidents_total", kind="counter", help="Incidents opened, by kind.", labels=("kind",)),
    Metric(
        name="hb_watch_notifications_total",
        kind="counter",
        help="Messages to operators, one for each of them and way, by how they went.",
        labels=("channel", "outcome"),
    ),
    Metric(name="hb_watch_heartbeats_total", kind="counter", help="Heartbeats that were answered."),
    Metric(name="hb_watch_leading_state", kind="gauge", help="1 while this watch is the one at work; 0: it waits."),
    Metric(
        name="hb_watch_incident_state",
        kind="gauge",
        help="1 while an incident of the kind is open.",
        labels=("kind",),
    ),
    Metric(
        name="hb_watch_watermark_age_seconds",
        kind="gauge",
        help="How far store and score are behind the platform's present, real seconds; NaN: unknown.",
    ),
    Metric(
        name="hb_watch_group_lag_records",
        kind="gauge",
        help="Records of the bus that a group has before it, by partition.",
        labels=("topic", "group", "partition"),
    ),
    Metric(
        name="hb_watch_group_stands_seconds",
        kind="gauge",
        help="For how long a group with work before it has not moved, by partition, real seconds; 0: it moves.",
        labels=("topic", "group", "partition"),
    ),
    Metric(
        name="hb_watch_clock_skew_seconds",
        kind="gauge",
        help="How far the clock of watch's machine is ahead of the database server's, in seconds.",
    ),
    Metric(
        name="hb_watch_certificate_ends_timestamp_seconds",
        kind="gauge",
        help="When the certificate ends that a server shows, Unix seconds.",
        labels=("server",),
    ),
    Metric(
        name="hb_watch_disk_free_ratio",
        kind="gauge",
        help="Which share of a disk is free; 0 also where it can't be read.",
        labels=("disk",),
    ),
    Metric(
        name="hb_watch_newest_backup_timestamp_seconds",
        kind="gauge",
        help="When the newest backup in a folder was written, Unix seconds; 0: there is none.",
        labels=("place",),
    ),
)
