"""Roles: which roles had each account shown by a time, and how many people in each?"""

import ibis
import pandas as pd
import pyarrow as pa

from journeylab.events.log import TIME, EventLog

# In the order in which they are told; others come after them, by name.
KNOWN = ("buyer", "user", "coach", "influencer", "detractor")


def find_roles(log: EventLog, *, until: pd.Series) -> pd.DataFrame | None:
    """Which roles each customer of `until` (Series customer_id -> time, UTC) had shown before that time.

    One row per customer and role seen, by customer and then in the order of `KNOWN`: `customer_id`, `role`, `people`,
    the number of contacts seen in that role (1 where the log does not tell contacts apart). Someone is seen who did
    something: events that the company initiated show nobody. None where no role is seen, or the log has none.
    """
    if "role" not in log.events.columns:
        return None
    rows = before(log.events.drop_null("role"), until)
    if "initiator" in rows.columns:
        rows = rows.filter((rows.initiator != "company").fill_null(True))
    people = rows.contact_id.nunique() if "contact_id" in rows.columns else ibis.literal(1)
    found = rows.group_by("customer_id", "role").aggregate(people=people).to_pyarrow().to_pandas()
    if found.empty:
        return None
    rank = {role: place for place, role in enumerate(KNOWN)}
    # A row without a contact still shows that there is somebody in the role.
    found = found.assign(rank=found["role"].map(rank).fillna(len(rank)), people=found["people"].clip(lower=1))
    found = found.sort_values(["customer_id", "rank", "role"], ignore_index=True)
    return found[["customer_id", "role", "people"]].astype({"customer_id": object, "role": object, "people": "int64"})


def before(rows: ibis.Table, until: pd.Series) -> ibis.Table:
    """The rows earlier than their customer's time in `until` (UTC); customers without one have none."""
    limits = pa.table(
        {
            "customer_id": pa.array(until.index.astype(object), pa.string()),
            "before_this": pa.array(until.dt.tz_convert("UTC").dt.as_unit("us")).cast(TIME),
        }
    )
    joined = rows.join(ibis.memtable(limits), "customer_id")
    return joined.filter(joined.time < joined.before_this).drop("before_this")
