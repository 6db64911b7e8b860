"""Who is told what the change log says, and how.

    log ─▶ routing/ ─▶ messages/ ─▶ storage/ ─▶ delivery/ ─▶ channels/
           who hears   what, and    outbox      lease,       email,
           what, when  in what      before      send,        Slack
                       words        sending     record

`delivery.run.tell` walks this path once. `routing/` and the outline of a message are pure; `storage/` holds all SQL,
and `templates/` all prose. The log is read from where routing left off, so a failed send can neither lose nor repeat an
entry.
"""
