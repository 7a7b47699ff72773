"""What may be said of a persona, in words that are the same everywhere?

- **solid**: found again in resampled customers (a mean Jaccard coefficient of .75 or more: Hennig 2007), and beyond
  both null models: the customers are not of one kind, more or less of everything.
- **pattern**: found again less surely (.6 or more); or as surely, but a cut through a continuum would give as much.
  Worth a look, not worth a name.
- **do not use**: another sample of customers would give another group, or nothing goes together at all.
"""

SOLID = "solid"
PATTERN = "pattern"
DO_NOT_USE = "do not use"
NOT_PROVEN = "not proven: no replicates were asked for"
NO_STRUCTURE = "no structure found: one kind of customer"

SOLID_FROM = 0.75
PATTERN_FROM = 0.6


def verdict(jaccard: float, *, is_beyond_independence: bool, is_beyond_clouds: bool) -> str:
    """The verdict on a persona that is found again with a mean Jaccard coefficient of `jaccard`.

    >>> verdict(0.8, is_beyond_independence=True, is_beyond_clouds=True)
    'solid'
    """
    if jaccard < PATTERN_FROM or not is_beyond_independence:
        return DO_NOT_USE
    return SOLID if jaccard >= SOLID_FROM and is_beyond_clouds else PATTERN
