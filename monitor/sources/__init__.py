"""Where lists come from: ICE's site, a folder of past workbooks, the Internet Archive."""
