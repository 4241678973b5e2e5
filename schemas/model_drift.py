"""From when on what comes in no longer looks like what a model was fitted on: for score, and for operators."""

from typing import Final

SHIFTED: Final = 0.1
DRIFTED: Final = 0.25
"""Population stability index, by the rule of thumb of banks: below the first little has changed, between them
something has, above the second it is significant, and somebody has to act. Yurdakul and Naranjo report it, and that it
is used without reference to error rates (Statistical properties of the population stability index, Journal of Risk
Model Validation 2020, 14(4):89-100). How often it errs here is measured: the scorecard's section on drift."""
LEAST_ROWS: Final = 1_000
"""With 11 bins, chance alone makes an index of about 10 divided by the rows: that is the mean of its distribution, a
chi-square of 10 degrees of freedom divided by the rows, where training had many more (Yurdakul, Statistical Properties
of Population Stability Index, Western Michigan University 2018). A tenth of SHIFTED here."""
LEAST_PEOPLE: Final = 10
"""Ours: rows of one person are much alike, so a few people are never like many. Of groups of ten of the people of a
recording, one in two hundred had a feature above SHIFTED, and none above DRIFTED; of groups of five, one in nine."""
LEAST_SHARE: Final = 1e-4
"""In the place of an empty bin: its logarithm has to be finite."""
