"""What the demo and the tests share: sample lists, and the fake ICE, Slack and mail servers.

Nothing here is part of the service, and nothing here replaces a part of it: the fakes are real
servers on loopback, spoken to over the wire.
"""

import os

# openpyxl writes other bytes for the same rows where lxml is installed; it looks at this when it is first imported.
os.environ["OPENPYXL_LXML"] = "False"
