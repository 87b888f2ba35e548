"""The comparison of two runs of a suite, test by test."""

from collections import Counter

#: A test that is not there at all.
MISSING = "missing"


def different(libc, ours):
    """The names of tests that ended differently."""
    return {name for name in libc.keys() | ours.keys() if libc.get(name) != ours.get(name)}


class Verdict:
    """What is known of a suite after its runs."""

    def __init__(self, suite, version, libc, ours, reruns, through):
        self.suite, self.version, self.through = suite, version, through
        self.libc, self.ours = dict(libc), dict(ours)
        #: Passed with libc, and not with us.
        self.worse = []
        #: The same, on purpose.
        self.explained = []
        #: Passed with us, and not with libc.
        self.better = []
        #: Ended differently from run to run, with libc too or once only.
        self.unsteady = []
        for name in sorted(different(libc, ours)):
            self._judge(name, [(libc, ours), *reruns])
        # A reason that is none any more.
        self.vanished = sorted(name for name in suite.explained
                               if name in libc and name not in self.explained)

    def _judge(self, name, runs):
        """A test that ended differently counts against a side that failed it more often than the
        other, and more than once."""
        libc, ours = ([run[side].get(name, MISSING) for run in runs] for side in (0, 1))
        passed_libc, passed_ours = libc.count("passed"), ours.count("passed")
        if passed_libc - passed_ours >= 2:
            (self.explained if name in self.suite.explained else self.worse).append(name)
        elif passed_ours - passed_libc >= 2:
            self.better.append(name)
        elif passed_libc or passed_ours:
            self.unsteady.append(name)
            # Counted as what it can be on either side.
            self.libc[name] = self.ours[name] = "passed"
        else:
            self.unsteady.append(name)

    @property
    def fine(self):
        """No test is worse without a reason, and the library was there."""
        return not self.worse and not self.vanished and self.active

    @property
    def active(self):
        """Whether the library was really inside: a suite that makes no lookup proves nothing."""
        return self.through["processes"] > 0 and self.through["getaddrinfo"] + self.through["walks"] > 0

    def counts(self, outcomes):
        """Passed, failed, skipped."""
        by_outcome = Counter(outcomes.values())
        return [by_outcome[word] for word in ("passed", "failed", "skipped")]

    def summary(self):
        """One line, and one for each test that is worse or better."""
        libc, ours = self.counts(self.libc), self.counts(self.ours)
        lines = [f"{self.suite.name} {self.version}: passed/failed/skipped {libc} with libc, {ours} with rustdns,"
                 f" {self.through}"]
        for word, names in (("WORSE", self.worse), ("explained, but not different", self.vanished),
                            ("explained", self.explained), ("better", self.better), ("unsteady", self.unsteady)):
            lines[:0] = [f"{self.suite.name}: {word}: {name}" for name in names]
        if not self.active:
            lines.insert(0, f"{self.suite.name}: WORSE: not one lookup went through rustdns")
        return "\n".join(lines)
