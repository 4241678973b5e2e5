-- The block ranges of the newest readings are summed up as they fill, not only when a vacuum comes by: until then every
-- question about the last hour reads all of them.
alter index readings_by_reception set (autosummarize = on);
alter index device_events_by_reception set (autosummarize = on);
