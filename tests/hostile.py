"""Texts as somebody would put into a workbook who wants our pages, mails and files to say or do something else.

What runs sets `__pwned`, for which the browser of tests/browser has a trap.
"""

from __future__ import annotations

MARKUP = (
    "<script>__pwned=1</script>",
    '"><img src=x onerror=__pwned=2>',
    "' onmouseover='__pwned=3' autofocus onfocus='__pwned=3",
    '" autofocus tabindex=1 onfocus="__pwned=4',
    "</title><svg/onload=__pwned=5>",
    "<svg><title><img src=x onerror=__pwned=6></title></svg>",
    "</title></text></svg><script>__pwned=7</script>",
    "</textarea></select><iframe src=javascript:parent.__pwned=8></iframe>",
    "</script><script>__pwned=9</script>",
    "</style><script>__pwned=10</script>",
    "]]><script>__pwned=11</script><!--",
    "<!--><script>__pwned=12</script>",
    "--><script>__pwned=13</script><!--",
    "<details open ontoggle=__pwned=14>",
    "</td></tr></table><input autofocus onfocus=__pwned=15>",
    "<iframe srcdoc='<script>parent.__pwned=16</script>'></iframe>",
    "<base href=https://evil.test/><meta http-equiv=refresh content=0;url=https://evil.test/>",
    "<link rel=stylesheet href=https://evil.test/x.css><img src=https://evil.test/x.png>",
    "<a href=https://evil.test>click</a><form action=https://evil.test><button>go</button></form>",
    "&lt;script&gt;__pwned=17&lt;/script&gt;",
    "&#60;img src=x onerror=__pwned=18&#62;",
    '\\"><script>__pwned=19</script>',
    "\\u003cscript\\u003e__pwned=20\\u003c/script\\u003e",
)
ADDRESSES = (
    "javascript:__pwned=21",
    " JaVaScRiPt:__pwned=22//https://www.ice.gov/a.pdf",
    "java\tscript:__pwned=23//www.ice.gov/a.pdf",
    "data:text/html,<script>__pwned=24</script>",
    "vbscript:https://www.ice.gov/a.pdf",
    'https://evil.test/"><script>__pwned=25</script>',
    "https://evil.test/' onclick='__pwned=26",
    "https://www.ice.gov@evil.test/a.pdf",
    "//evil.test/a.pdf",
    "file:///etc/passwd",
    "https://gcc02.safelinks.protection.outlook.com/?url=javascript%3A__pwned%3D27&data=x",
)
TEMPLATES = ("{{7*7}}", "{% raw %}{{ config }}", "${7*7}#{7*7}<%= 7*7 %>", "%s %(x)s {0} {__class__}")
FORMULAS = (
    '=HYPERLINK("https://evil.test","Open")',
    "=1+1|' /C calc'!A0",
    "+1+1",
    "-1+1",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    '","=1+1',
    '\r\n=1+1,"',
)
LINES = (
    "one\r\nBcc: everybody@example.org\r\n\r\nhello",
    "one\nSubject: another\nContent-Type: text/html\n\n<b>hello</b>",
    "line\N{LINE SEPARATOR}separator\x85next",
)
UNSEEN = (
    "\N{RIGHT-TO-LEFT OVERRIDE}fdp.exe\N{LEFT-TO-RIGHT ISOLATE}",
    "zero\N{ZERO WIDTH SPACE}width\N{ZERO WIDTH NO-BREAK SPACE}",
    "e" + "\N{COMBINING ACUTE ACCENT}" * 100,
)
LONG = ("W" * 400, "Wide words " * 60, "\N{FULL BLOCK}" * 300, "&" * 150, "'" * 150)

# All that a workbook can hold.
WRITABLE = (*MARKUP, *ADDRESSES, *TEMPLATES, *FORMULAS, *LINES, *UNSEEN, *LONG)
# XML has no such characters, so no workbook has; if it ever had, they would be no more than read.
UNWRITABLE = ("nul\x00bell\x07escape\x1b[31m", "lone \ud800 surrogate")
