"""Who is told of what the log says, and how.

    log ─▶ routing ─▶ outline ─▶ render ─▶ store ─▶ deliver ─▶ slack, mail
           who        in what    in what   before    lease,     one file
           hears      order      words     sending   send,      a channel
                                                     record

`deliver.tell` walks this path once. What decides (routing, outline, retry) is pure; `store` alone holds SQL, and all
prose lies in `templates/`. The log is read from where routing left off: a failed send can neither lose nor repeat a
detection.
"""
