"""Score: a deterministic function of checkpoint and log that says what the readings mean.

Where to begin: ``core.step`` takes one record and gives what follows from it; ``consumer`` feeds it, ``effects`` writes
what it gave. ``rules/`` is what is looked for, and each rule that reads samples names a fold, which decides.

- Of a record: ``partition`` has ``home_state`` has ``person``; a person has one ``window`` of ``sample`` for all rules,
  its ``circumstances``, its ``calls`` for help, and one ``evaluation`` a rule, which looks at no single sample while a
  vital is ``calm``. Before any rule, ``guard`` holds back what is another unit's or a room-mate's.
- Folds: ``beyond`` (over ``tracks``, a limit for a while), ``pressure``, ``weight``, ``own_baseline`` (a limit above
  the person's median), ``news2`` (by ``quarters``), and of models ``glucose_course`` and ``anomaly_course`` (by
  ``questions``, answered once a batch).
- What was said: ``episodes`` live, ``stood`` as findings say it, ``age`` whether it is news.
- By days: ``days`` counts them, ``measured_spans`` once each, ``stored_days`` and a demo's ``past_days`` from stored
  rows; the rule ``baseline`` is ``reported_drift`` over them.
- What comes late: ``look_back`` decides, ``looks_back`` are its rows. ``rerun`` does the same over stored rows for
  ``back_test``; ``source`` makes records of stored rows. Of models: ``model_look_back``.
- What did not happen: ``due`` (falls, SOS, by ``emergencies``), ``silence`` and ``silent_homes``, ``watch_gaps`` (by
  ``coverage``). Rows besides: ``ask_rows`` (of ``asks``), ``held_rows`` (of ``guard``).
- Limits: ``limit_book`` has them, ``known_limits`` reads them. What was learned: ``learned`` loads it, ``models/``
  reckons with it, ``input_watch`` counts whether it still fits.
- State at rest: ``checkpoint``, ``older_states`` for older forms, ``replay`` to compare.
"""
