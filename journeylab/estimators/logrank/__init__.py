"""Do groups differ in how soon something happens (log-rank), or in the share that it happens to (Gray)?"""

from journeylab.estimators.logrank.gray import gray_test
from journeylab.estimators.logrank.logrank import GroupTest, logrank_test

__all__ = ["GroupTest", "gray_test", "logrank_test"]
