"""What ICE's lists of 287(g) agreements say, and what changed.

    source ─▶ sources ─▶ workbook ─▶ guard ─▶ match ─▶ diff ─▶ store
              fetch      read        believe?  who is   what     one transaction:
              bytes      listings              who      changed  publication, listings, agreements, entries

`check` walks this path once for one list; everything on it that decides (normalize, names, guard, match, diff) is
pure. `alerts` and `web` read the log that comes of it; nothing here knows of them.
"""

__version__ = "0.1.0"
