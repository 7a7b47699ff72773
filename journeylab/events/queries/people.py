"""People: which roles had each account shown by a time, and which names must no quote show?"""

import re

import ibis
import pandas as pd
import pyarrow as pa

from journeylab.events.log import TIME, EventLog
from journeylab.events.spells.signals import is_own

# In the order in which they are listed; others come after them, by name.
KNOWN_ROLES = ("buyer", "user", "coach", "influencer", "detractor")
_COMPANY = re.compile(r"company|organi[sz]ation|account|firm|employer", re.IGNORECASE)
_NAME_COLUMN = re.compile(
    r"(?:^|_)(?:(?:account|company|organi[sz]ation|firm|employer)(?:_?name)?$|(?:first|last|full|user|sur|nick|family|given)?_?names?$"
    r"|contact$|person$|owner$)",
    re.IGNORECASE,
)


def find_roles(log: EventLog, *, until: pd.Series) -> pd.DataFrame | None:
    """Which roles each customer of `until` (Series customer_id -> time, UTC) had shown before that time.

    One row per customer and role, by customer and then in the order of `KNOWN_ROLES`: `customer_id`, `role`, `people`,
    the number of contacts in that role (1 where the log does not distinguish contacts). Only who did something counts:
    events that the company initiated show no role. None where there is no role, or no column for it.
    """
    if "role" not in log.events.columns:
        return None
    rows = before(log.events.drop_null("role"), until)
    rows = rows.filter(is_own(rows))
    people = rows.contact_id.nunique() if "contact_id" in rows.columns else ibis.literal(1)
    roles = rows.group_by("customer_id", "role").aggregate(people=people).to_pyarrow().to_pandas()
    if roles.empty:
        return None
    rank = {role: at for at, role in enumerate(KNOWN_ROLES)}
    # A row without a contact still shows that there is somebody in the role.
    roles = roles.assign(rank=roles["role"].map(rank).fillna(len(rank)), people=roles["people"].clip(lower=1))
    roles = roles.sort_values(["customer_id", "rank", "role"], ignore_index=True)
    return roles[["customer_id", "role", "people"]].astype({"customer_id": object, "role": object, "people": "int64"})


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


def find_names(customers: pd.DataFrame) -> frozenset[str]:
    """Names that the customers' table holds: what no quote may show.

    They are the values of columns called for it, such as `name`, `last_name`, `contact` or `company`; of persons the
    single words too, of companies, whose names are made of common words, the whole name only.
    """
    names: set[str] = set()
    for column in customers.columns:
        if match := _NAME_COLUMN.search(str(column)):
            values = {" ".join(str(value).split()) for value in customers[column].dropna().unique()}
            names |= values
            if not _COMPANY.search(match[0]):
                names |= {word for value in values for word in value.split()}
    return frozenset(names)
