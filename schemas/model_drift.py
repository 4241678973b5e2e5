"""From when on what comes in no longer looks like what a model was fitted on: for score, and for operators."""

from typing import Final

SHIFTED: Final = 0.1
DRIFTED: Final = 0.25
"""Population stability index: below the first a feature is as it was, from the second on it is another population's,
and between them somebody should look (Lewis, An Introduction to Credit Scoring, 1994; Siddiqi, Credit Risk Scorecards,
Wiley 2006)."""
LEAST_ROWS: Final = 1_000
"""With 11 bins, chance alone makes an index of about 10 divided by the rows (Yurdakul and Naranjo, Journal of Risk
Model Validation 2020, 14:4): a tenth of SHIFTED here."""
LEAST_PEOPLE: Final = 10
"""Ours: rows of one person are much alike, so a few people are never like many. Of groups of ten of the people of a
recording, one in two hundred had a feature above SHIFTED, and none above DRIFTED; of groups of five, one in nine."""
LEAST_SHARE: Final = 1e-4
"""In the place of an empty bin: its logarithm has to be finite."""
