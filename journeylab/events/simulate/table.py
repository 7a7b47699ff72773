"""The raw table: how do simulated rows become the lines that a real export would hold?"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from journeylab.events.log import INITIATORS
from journeylab.events.simulate import language
from journeylab.events.simulate.accounts import Accounts
from journeylab.events.simulate.calendar import DAY, FIRST_ENTRY, WINDOW
from journeylab.events.simulate.habits import CHANNELS, ROLES
from journeylab.events.simulate.happenings import (
    CANCEL_REASONS,
    INITIATOR_OF,
    INITIATOR_OF_REASON,
    NAMES,
    PROCESS_OF,
    PROCESSES,
)
from journeylab.events.simulate.rows import BAD_TIME, NO_CUSTOMER, NO_EVENT, NONE, Lines

ROWS_PER_BATCH = 1_000_000
_ID_DIGITS = 9
_FIRST_DAY = FIRST_ENTRY // DAY - 40  # first touches come before the first entry
_N_DAYS = 1_200
BAD_TIMES = ("0000-00-00T00:00:00Z", "not available", "2024-13-45T99:99:99Z", "yesterday, 3 pm")


class Identities:
    """The names of customers and contacts, by number."""

    def __init__(self, n_customers: int, contacts: np.ndarray) -> None:
        digits = max(6, len(str(n_customers)))
        self.customers = [f"account-{number:0{digits}d}" for number in range(1, n_customers + 1)]
        self.first_contact = np.concatenate([[0], np.cumsum(contacts)])
        self.contacts = [
            f"{customer}-{contact}"
            for customer, many in zip(self.customers, contacts.tolist(), strict=False)
            for contact in range(1, many + 1)
        ]


def batches(lines: Lines, *, accounts: Accounts, identities: Identities) -> Iterator[pa.RecordBatch]:
    """`lines` as Arrow batches of text."""
    for first in range(0, len(lines), ROWS_PER_BATCH):
        yield _batch(lines[first : first + ROWS_PER_BATCH], accounts=accounts, identities=identities)


def _batch(lines: Lines, *, accounts: Accounts, identities: Identities) -> pa.RecordBatch:
    rows, wrong = lines.rows, lines.wrong
    has_contact = rows.contact != NONE
    account = np.where(has_contact, rows.account, 0)
    contact = np.where(has_contact, identities.first_contact[account] + rows.contact, NONE)
    role = np.where(has_contact, accounts.roles[account, rows.contact], NONE)
    initiator = INITIATOR_OF[rows.event]
    for reason, by in INITIATOR_OF_REASON.items():
        initiator = np.where(rows.reason == CANCEL_REASONS.index(reason), INITIATORS.index(by), initiator)
    columns = {
        "event_id": _event_ids(lines.number),
        "customer_id": _named(np.where(wrong == NO_CUSTOMER, NONE, rows.account), identities.customers),
        "contact_id": _named(contact, identities.contacts),
        "role": _named(role, ROLES),
        "time": _times(rows.time, wrong),
        "event": _named(np.where(wrong == NO_EVENT, NONE, rows.event), NAMES),
        "channel": _named(rows.channel, CHANNELS),
        "process": _named(PROCESS_OF[rows.event], PROCESSES),
        "initiator": _named(initiator, INITIATORS),
        "reason": _named(rows.reason, CANCEL_REASONS),
        "topic": _named(rows.topic, language.TOPICS),
        "value": pa.array(rows.value.astype(np.float64), mask=np.isnan(rows.value)),
        "score": pa.array(rows.score.astype(np.float64), mask=rows.score == NONE),
        "text": _named(rows.text, language.sentences()),
    }
    return pa.RecordBatch.from_pydict(columns)


def _named(codes: np.ndarray, names: tuple[str, ...] | list[str]) -> pa.DictionaryArray:
    positions = pa.array(codes.astype(np.int32), mask=codes == NONE)
    return pa.DictionaryArray.from_arrays(positions, pa.array(names, pa.string()))


def _fixed(letters: np.ndarray) -> pa.StringArray:
    """Rows of ASCII letters (rows x length) as text."""
    n, length = letters.shape
    offsets = np.arange(0, (n + 1) * length, length, dtype=np.int32)
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(letters)))


def _event_ids(numbers: np.ndarray) -> pa.StringArray:
    letters = np.empty((len(numbers), _ID_DIGITS + 1), dtype=np.uint8)
    letters[:, 0] = ord("e")
    rest = numbers
    for position in range(_ID_DIGITS, 0, -1):
        rest, digit = np.divmod(rest, 10)
        letters[:, position] = digit + ord("0")
    return _fixed(letters)


def _times(seconds: np.ndarray, wrong: np.ndarray) -> pa.StringArray:
    """ISO 8601 with offset Z, looked up by day and by second of the day; some cannot be read."""
    start = WINDOW.start.tz_localize(None).to_datetime64().astype("datetime64[D]")
    days = np.datetime_as_string(start + np.arange(_FIRST_DAY, _FIRST_DAY + _N_DAYS)).astype("S10")
    clock = np.datetime_as_string(np.datetime64(0, "s") + np.arange(DAY)).astype("S19")
    clock = clock.view(np.uint8).reshape(DAY, 19)[:, 10:]
    letters = np.empty((len(seconds), 20), dtype=np.uint8)
    day, second = np.divmod(seconds, DAY)
    letters[:, :10] = days.view(np.uint8).reshape(_N_DAYS, 10)[day - _FIRST_DAY]
    letters[:, 10:19] = clock[second]
    letters[:, 19] = ord("Z")
    text = _fixed(letters)
    is_bad = wrong == BAD_TIME
    if not is_bad.any():
        return text
    spoilt = np.array(BAD_TIMES, dtype=object)[np.arange(int(is_bad.sum())) % len(BAD_TIMES)]
    return pc.replace_with_mask(text, pa.array(is_bad), pa.array(spoilt, pa.string()))
