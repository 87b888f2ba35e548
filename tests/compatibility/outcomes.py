"""Readers of what test programs print: the outcome of each test by its name.

An outcome is `passed`, `failed` or `skipped`. Where a name comes twice, the worst counts.
"""

import re
import xml.etree.ElementTree as ElementTree

RANK = {"skipped": 0, "passed": 1, "failed": 2}


def add(outcomes, name, outcome):
    """Notes one outcome."""
    known = outcomes.get(name)
    if known is None or RANK[outcome] > RANK[known]:
        outcomes[name] = outcome


def go(text):
    """`go test -v`, or a test program's -test.v=test2json, which marks its own lines with ^V."""
    outcomes = {}
    words = {"PASS": "passed", "FAIL": "failed", "SKIP": "skipped"}
    for word, name in re.findall(r"--- (PASS|FAIL|SKIP): (\S+) \(\d", text):
        add(outcomes, name, words[word])
    return outcomes


def junit(text):
    """A JUnit report."""
    outcomes = {}
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return outcomes
    for case in root.iter("testcase"):
        kinds = {child.tag for child in case}
        bad = kinds & {"failure", "error"}
        add(outcomes, case.get("name"), "failed" if bad else "skipped" if "skipped" in kinds else "passed")
    return outcomes


def unittest(text):
    """Python's `unittest -v`: `test_x (module.Class.test_x) ... ok`, docstring lines between."""
    outcomes = {}
    name = None
    for line in text.splitlines():
        if found := re.match(r"^(\w+) \(([\w.]+)\)", line):
            name = f"{found[2]}.{found[1]}" if not found[2].endswith(found[1]) else found[2]
        if name and (ended := re.search(r"(?:\.\.\. |^)(ok|FAIL|ERROR|skipped\b.*|expected failure)$", line)):
            word = ended[1]
            add(outcomes, name, "failed" if word in ("FAIL", "ERROR") else
                "skipped" if word.startswith("skipped") else "passed")
            name = None
    return outcomes


def tap(text, prefix):
    """The Test Anything Protocol, without subtests. A test without a description goes by its number."""
    outcomes = {}
    for line in text.splitlines():
        found = re.match(r"^(not )?ok\b ?(\d*)(?: *-)? *(.*)$", line)
        if not found:
            continue
        bad, number, rest = found.groups()
        description, _, directive = rest.partition("# ")
        directive = directive.strip().lower()
        skipped = directive.startswith(("skip", "todo"))
        name = f"{prefix}: {description.strip() or number}"
        add(outcomes, name, "skipped" if skipped else "failed" if bad else "passed")
    return outcomes


def ruby(text):
    """Ruby's own runner, -v: each test as it runs, and at the end those that did not pass."""
    outcomes = {name: "passed" for name in re.findall(r"\[ *\d+/\d+\] (\w[\w:]*#\S+)[^\n]*? = \d+\.\d+ s", text)}
    words = {"Failure": "failed", "Error": "failed", "Skipped": "skipped"}
    for word, name in re.findall(r"^ *\d+\) (Failure|Error|Skipped):\n(\w[\w:]*#[^\s:]+)", text, re.M):
        outcomes[name] = words[word]
    return outcomes


def lines(text, pattern, words):
    """Any other form: `pattern` has groups `name` and `outcome`, `words` says what outcomes mean."""
    outcomes = {}
    for found in re.finditer(pattern, text, re.M):
        add(outcomes, found["name"].strip(), words[found["outcome"]])
    return outcomes
