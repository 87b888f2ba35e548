"""Other people's test suites, with libc and with rustdns in front of it, compared test by test."""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import bed
import judge
import report
import suites
from fetch import Store

#: How often a test that ended differently is run again, on both sides.
RERUNS = 3


def main():
    parser = argparse.ArgumentParser(prog="scripts/compatibility", description=__doc__)
    parser.add_argument("suite", nargs="*", help="those to run: all")
    parser.add_argument("--list", action="store_true", help="say which there are")
    parser.add_argument("--write", action="store_true", help="put the table into docs/compatibility.md")
    parser.add_argument("--inside", nargs=3, metavar=("SUITE", "SIDE", "RESULT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        return inside(*arguments.inside, arguments.suite)
    if arguments.list:
        for suite in suites.ALL.values():
            print(f"{suite.name:20} {suite.about}")
        return 0
    known = suites.ALL | suites.QUICK
    unknown = set(arguments.suite) - set(known)
    if unknown:
        parser.error(f"no such suite: {' '.join(sorted(unknown))}")
    if not bed.LIBRARY.exists():
        parser.error(f"{bed.LIBRARY} is missing: run make first")
    chosen = arguments.suite or list(suites.ALL)
    store = Store()
    verdicts = [measure(store, known[name]) for name in chosen]
    print(report.table(verdicts))
    if arguments.write:
        report.write(verdicts, whole=not arguments.suite)
    return 0 if all(verdict.fine for verdict in verdicts) else 1


def measure(store, suite):
    """Runs a suite on both sides, what differs again, and judges."""
    started = time.monotonic()
    version = suite.prepare(store)
    store.folder(suite.name)
    first = both(store, suite, [])
    libc, ours = (side["outcomes"] for side in first)
    different = judge.different(libc, ours)
    reruns = []
    if different:
        print(f"{suite.name}: {len(different)} tests ended differently and are run again", flush=True)
        reruns = [[side["outcomes"] for side in both(store, suite, sorted(different), run + 1)]
                  for run in range(RERUNS)]
    verdict = judge.Verdict(suite, version, libc, ours, reruns, first[1]["through"])
    print(f"{verdict.summary()}, {time.monotonic() - started:.0f} s", flush=True)
    return verdict


def both(store, suite, only, run=0):
    """The results of the two sides, which run at the same time."""
    running = []
    for side in ("libc", "rustdns"):
        result = store.folder(suite.name) / f"{side}-{run}.json"
        result.unlink(missing_ok=True)
        with open(store.folder(suite.name) / f"{side}-{run}.log", "wb") as log:
            words = bed.enter(["--inside", suite.name, side, str(result), "--", *only])
            running.append((subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log), side, result))
    found = []
    for program, side, result in running:
        program.wait()
        if not result.exists():
            raise SystemExit(f"{suite.name}, {side}: no result, see {log.name}")
        found.append(json.loads(result.read_text()))
    return found


def inside(name, side, result, only):
    """The part that runs in namespaces of its own."""
    suite = (suites.ALL | suites.QUICK)[name]
    place = bed.Bed(preload=side == "rustdns")
    outcomes = suite.run(place, Path(result).parent, set(only))
    outcomes.update(place.endings)
    Path(result).write_text(json.dumps({"outcomes": outcomes, "through": bed.through_us()}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
