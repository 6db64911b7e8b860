"""Who is told of what the log says, and how.

    log ─▶ routing ─▶ outline ─▶ render ─▶ store ─▶ deliver ─▶ slack, mail
           digest     in what    in what   before    lease,     one file
           who hears  order      words     sending   send,      a channel
           and when                                  record

`deliver.tell` walks this path once. What decides (routing, digest, outline, retry) is pure; `store` alone holds SQL,
and all prose lies in `templates/`. The log is read from where routing left off: a failed send can neither lose nor
repeat a detection.
"""
