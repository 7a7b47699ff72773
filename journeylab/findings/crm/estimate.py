"""Compared: what customers did and what the CRM says of them, side by side, and whom it has wrong."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from journeylab.events.log import Window, written
from journeylab.events.queries.crm_timeline import LOST, at_moment, crm_timeline
from journeylab.findings.crm import agreement, lags
from journeylab.findings.crm.agreement import NO_RECORD
from journeylab.findings.finding import tidy

MISMATCHES = ("customer_id", "stage", "expected", "bucket", "since", "days", "why")


@dataclass(frozen=True, eq=False)
class Compared:
    """Visits and the CRM's records side by side, in `pieces` of time; `now`: those at the moment."""

    visits: pd.DataFrame
    records: pd.DataFrame
    expected: Mapping[str, str]
    pieces: pd.DataFrame
    now: pd.DataFrame
    moment: pd.Timestamp
    window: Window

    @classmethod
    def of(
        cls,
        visits: pd.DataFrame,
        records: pd.DataFrame,
        expected: Mapping[str, str],
        moment: pd.Timestamp,
        window: Window,
    ) -> "Compared":
        pieces = agreement.with_days(crm_timeline(visits, records, window), expected)
        return cls(visits, records, expected, pieces, at_moment(pieces, moment, window), moment, window)

    def tables(self, by: str | None, stages: tuple[str, ...], confidence: float) -> dict[str, pd.DataFrame]:
        """The finding's tables, for all customers or group by group."""
        group_of = self.visits.drop_duplicates("customer_id").set_index("customer_id")["group"] if by else None
        groups = sorted(group_of.unique()) if by else [None]
        rows = {name: [] for name in ("table", "matrix", "kappa", "lags")}
        waits = lags.find_lags(self.visits, self.records, self.expected, self.window)
        order = self._order(stages)
        for group in groups if len(self.visits) else []:
            pieces, now, part = (
                each if group is None else each[each["customer_id"].map(group_of) == group]
                for each in (self.pieces, self.now, waits)
            )
            found = {
                "table": agreement.share_rows(pieces, now, self.expected, confidence=confidence),
                "matrix": agreement.matrix_rows(pieces, now, order, confidence=confidence),
                "kappa": [
                    agreement.kappa_row(now, when=f"at {written(self.moment)}", of="customers", confidence=confidence),
                    agreement.kappa_row(pieces, when="over time", of="days", confidence=confidence),
                ],
                "lags": lags.lag_rows(part, self.expected, confidence=confidence),
            }
            for name, each in found.items():
                rows[name] += [{"group": group, **row} for row in each]
        columns = {
            "table": agreement.SHARES,
            "matrix": agreement.MATRIX,
            "kappa": agreement.KAPPA,
            "lags": lags.COLUMNS,
        }
        return {name: tidy(rows[name], columns[name], by=by) for name in rows}

    def mismatches(self, stages: tuple[str, ...]) -> pd.DataFrame:
        """Who is in another bucket than that of the stage, in none, or lost and still in the bucket of a stage."""
        now = self.now
        wrong = now["expected"].notna() & ~now["agrees"]
        still = now["is_lost"] & now["bucket"].isin([*self.expected.values()])
        rows = now[wrong | still]
        since = rows[["place_since", "bucket_since"]].max(axis=1)
        another = rows["bucket"].notna().map({True: "another bucket", False: NO_RECORD})
        rows = rows.assign(
            stage=rows["where"],
            since=since,
            days=(self.moment - since) / pd.Timedelta(days=1),
            why=another.where(~rows["is_lost"], "lost to " + rows["place"].astype(str)),
        )
        place = rows["stage"].map({stage: at for at, stage in enumerate((*stages, LOST))})
        rows = rows.assign(place=place).sort_values(["place", "since", "customer_id"], kind="stable")
        return rows[[*MISMATCHES]].reset_index(drop=True)

    def _order(self, stages: tuple[str, ...]) -> tuple[list[str], list[str]]:
        """Stages and what else customers are in, in the journey's order; buckets in the journey's order, then those
        that the journey does not name, most frequent first."""
        buckets = list(dict.fromkeys(self.expected[stage] for stage in stages if stage in self.expected))
        others = self.pieces.loc[~self.pieces["said"].isin([*buckets, NO_RECORD]), "said"]
        counts = others.value_counts().rename_axis("said").reset_index(name="n")
        ordered = counts.sort_values(["n", "said"], ascending=[False, True], kind="stable")["said"]
        return [*stages, LOST], [*buckets, *ordered, NO_RECORD]
