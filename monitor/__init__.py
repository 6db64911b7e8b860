"""What ICE's lists of 287(g) agreements say, and what changed.

    sources/ ─▶ workbooks/ ─▶ checks/plausibility ─▶ matching/ ─▶ checks/changes ─▶ storage/
    fetch       read          accept or hold         who is who   what changed      one transaction: publication,
    bytes       listings                                                            listings, agreements, entries

`checks/check.py` follows this path once for one list. The modules that decide are pure. `alerts` and `web` read the
log; nothing here imports them.
"""

__version__ = "0.1.0"
