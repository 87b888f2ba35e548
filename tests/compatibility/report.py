"""The table of docs/compatibility.md."""

import os
import platform
import re
from datetime import datetime, timezone

from bed import REPOSITORY

PAGE = REPOSITORY / "docs/compatibility.md"
BEGIN, END = "<!-- made by make compatibility -->", "<!-- end -->"


def table(verdicts):
    """Markdown."""
    rows = ["| suite | version | tests | libc: passed, failed, skipped | rustdns: passed, failed, skipped "
            "| processes | getaddrinfo | lookups |",
            "|---|---|---|---|---|---|---|---|"]
    for verdict in verdicts:
        libc, ours = verdict.counts(verdict.libc), verdict.counts(verdict.ours)
        through = verdict.through
        rows.append(
            f"| `{verdict.suite.name}`: {verdict.suite.about} | {verdict.version} | {len(verdict.libc)} "
            f"| {', '.join(map(str, libc))} | {', '.join(map(str, ours))} "
            f"| {through['processes']} | {through['getaddrinfo']} | {through['walks']} |")
    return "\n".join(rows)


def write(verdicts, whole):
    """Puts the table between the marks; rows of suites that did not run stay as they are."""
    page = PAGE.read_text()
    head, rest = page.split(BEGIN)
    old, tail = rest.split(END)
    fresh = table(verdicts).splitlines()
    if not whole:
        key = re.compile(r"^\| `([\w-]+)`")
        new = {key.match(row)[1]: row for row in fresh[2:]}
        kept = [new.pop(key.match(row)[1], row) for row in old.splitlines() if key.match(row)]
        fresh = fresh[:2] + kept + list(new.values())
    libc = " ".join(platform.libc_ver())
    text = (f"\n\nMeasured {datetime.now(timezone.utc):%Y-%m-%d} on {platform.machine()}, {libc}, Linux "
            f"{platform.release().split('-')[0]}, {os.cpu_count()} cores.\n\n" + "\n".join(fresh) + "\n\n")
    PAGE.write_text(head + BEGIN + text + END + tail)
