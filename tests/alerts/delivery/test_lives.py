"""Some of the random lives, in a real state.db; `python -m bench histories` lives many more."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.alerts.histories import History
from tests.alerts.lives import is_told_once

pytestmark = pytest.mark.crash


@pytest.mark.parametrize("seed", range(3))
def test_in_a_real_state_db_each_change_is_told_once_to_each_who_wants_it_whatever_happens(
    seed: int, tmp_path: Path
) -> None:
    assert is_told_once(History(random.Random(seed)), tmp_path)
