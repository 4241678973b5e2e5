"""What rules reckon with beyond a limit, as pure functions of values and plain arrays.

Learned from recordings, each with an artefact: ``glucose_forecast`` (over ``recent_glucose``, with ``boosted_trees``)
and ``anomaly`` (over ``own_course``, with ``isolation_forest``; its arrays by ``anomaly_artefact``). ``artefact`` reads
and refuses them, ``feature_drift`` says whether what comes in still looks like what they were fitted on.

Fitted to nobody, each rests on the person's own values alone: ``drift`` (the model of the rule ``baseline``, over
``day_channels`` and ``usual``), ``own_band`` and ``urgent_values`` (what a reading is held back by, and never is).
``hysteresis`` is the alarm of both kinds. ``fall_posture`` is asked by the scorecard alone: no model of falls ships.
"""
