"""Dataset -> train, valid and test: one protocol a file, and what they all yield in `parts`."""

from __future__ import annotations

from matinee.split.by_time import ByTime
from matinee.split.cold_items import ColdItems
from matinee.split.gap_and_tail import GapAndTail
from matinee.split.given import Given
from matinee.split.leave_last import LeaveLast
from matinee.split.protocol import Protocol
from matinee.split.random_ratio import RandomRatio
from matinee.split.unseen_users import UnseenUsers

PROTOCOLS: dict[str, type[Protocol]] = {
    "gap_and_tail": GapAndTail,
    "leave_last": LeaveLast,
    "random_ratio": RandomRatio,
    "by_time": ByTime,
    "unseen_users": UnseenUsers,
    "cold_items": ColdItems,
    "given": Given,
}
