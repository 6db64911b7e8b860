"""Who is told about which entries of the log, and how.

    log ─▶ routing/ ─▶ messages/ ─▶ storage/ ─▶ delivery/ ─▶ channels/
           who hears   what, and    outbox      lease,       email,
           what, when  in what      before      send,        Slack
                       words        sending     record

`delivery.run.tell` follows this path once. `routing/` and the outline of a message are pure. `storage/` has all SQL,
and `templates/` has all text. The log is read from where routing left off, so a failed send neither loses nor repeats
an entry.
"""
