"""CRM timeline: at each moment, where is a customer in the journey, and where does the CRM say they are?"""

import numpy as np
import pandas as pd

from journeylab.events.log import Window

LOST = "lost"
COLUMNS = ("customer_id", "place", "is_lost", "bucket", "since", "until", "place_since", "bucket_since")


def crm_timeline(visits: pd.DataFrame, records: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Pieces of time in which neither the journey nor the CRM moved a customer, in order: from when a customer was
    first watched in a stage to the window's end.

    visits: the columns of spells. records: `customer_id`, `time`, `bucket`, by customer and time; of customers without
    a visit they are not used, nor are those at or after the window's end.

    Columns: `customer_id`; `place`: the stage, or the branch that the customer was lost to last (`is_lost`); `bucket`
    of the CRM, missing where it has none; `since`, `until`: the piece; `place_since`, `bucket_since`: since when
    each has held, before watching began too.
    """
    ids = pd.Index(visits["customer_id"].unique()).sort_values()
    lost = visits[visits["outcome"] == LOST]
    used = records[records["customer_id"].isin(ids) & (records["time"] < window.end)]
    parts = (
        _changes(visits, "observed_from", place=visits["stage"], place_since=visits["entered"], order=2),
        _changes(lost, "left", place=lost["to"], place_since=lost["left"], order=1).assign(is_lost=True),
        _changes(used, "time", bucket=used["bucket"], bucket_since=used["time"], order=0),
    )
    changes = pd.concat([part for part in parts if len(part)] or [parts[0]], ignore_index=True)
    changes = changes.sort_values(["customer_id", "time", "order"], kind="stable", ignore_index=True)
    places = _last_known(changes, "place", ["place", "place_since", "is_lost"])
    buckets = _last_known(changes, "bucket_since", ["bucket", "bucket_since"])
    following = changes["customer_id"].shift(-1) == changes["customer_id"]
    until = changes["time"].shift(-1).where(following, window.end)
    pieces = pd.concat([changes["customer_id"], places, buckets], axis=1).assign(since=changes["time"], until=until)
    pieces = pieces[pieces["place"].notna() & (pieces["until"] > pieces["since"])]
    bucket = pieces["bucket"].astype(object)
    pieces = pieces.assign(is_lost=pieces["is_lost"].eq(True), bucket=bucket.where(bucket.notna(), None))
    return pieces[[*COLUMNS]].reset_index(drop=True)


def at_moment(pieces: pd.DataFrame, moment: pd.Timestamp, window: Window) -> pd.DataFrame:
    """The piece of each customer that holds `moment`; at the window's end the last one."""
    if moment == window.end:
        return pieces[pieces["until"] == window.end]
    return pieces[(pieces["since"] <= moment) & (moment < pieces["until"])]


def _changes(rows: pd.DataFrame, time: str, *, order: int, **columns: pd.Series) -> pd.DataFrame:
    changes = pd.DataFrame({"customer_id": rows["customer_id"], "time": rows[time], "order": order, **columns})
    return changes.astype(dict.fromkeys(changes.select_dtypes("category"), object))


def _last_known(changes: pd.DataFrame, key: str, columns: list[str]) -> pd.DataFrame:
    """The values of `columns` in the customer's last row so far that has a `key`; missing where there is none."""
    changes = changes.reindex(columns=list(dict.fromkeys([*changes, *columns])))
    row = np.maximum.accumulate(np.where(changes[key].notna(), np.arange(len(changes)), -1))
    customer = pd.factorize(changes["customer_id"])[0]
    is_same = (row >= 0) & (customer[row] == customer)
    return pd.DataFrame({name: changes[name].iloc[row].reset_index(drop=True).where(is_same) for name in columns})
