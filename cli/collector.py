"""How often Python looks for knots of references that nothing leads to any more."""

from __future__ import annotations

import gc


def look_seldom() -> None:
    """Look after 50,000 objects more, not after 700, and at all of them hardly ever.

    A list makes some ten objects a row, which stay and make no knots: to look through them again and again took a fifth
    of the time of a comparison of 150,000 rows.
    """
    gc.set_threshold(50_000, 20, 100)
