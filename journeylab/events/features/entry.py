"""Entry: through which channel, and in which month, did each customer come?"""

from datetime import timedelta

import numpy as np
import pandas as pd

from journeylab.events.features.first_events import FirstEvents

ENTRY = ENTRY_CHANNEL, ENTRY_MONTH = "entry channel", "entry month"


def entry_columns(first: FirstEvents, within: timedelta) -> pd.DataFrame:
    """Columns of text by customer: `entry channel`, the first channel known of their own events, where the log names
    channels; `entry month`, the month of entry in UTC, as “2024-03”."""
    entered = (first.landmarks - within).dt
    columns = {ENTRY_MONTH: entered.strftime("%Y-%m").astype(object)}
    if "channel" in first.kinds:
        channel = first.kinds["channel"].to_numpy(dtype=object)[first.ordered.kind]
        known = np.flatnonzero(pd.notna(channel))
        position, at = np.unique(first.ordered.position[known], return_index=True)
        of_entry = np.full(len(first.customers), None, dtype=object)
        of_entry[position] = channel[known[at]]
        columns = {ENTRY_CHANNEL: pd.Series(of_entry, index=first.customers), **columns}
    return pd.DataFrame(columns, index=first.customers)
