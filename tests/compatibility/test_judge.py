"""Tests of the comparison and of the readers that it rests on."""

import unittest

import outcomes
from judge import Verdict


class Plain:
    name = "plain"
    explained = {"known": "a reason"}


THROUGH = {"processes": 1, "getaddrinfo": 1, "walks": 0}


def verdict(runs, through=None):
    """Of a test `t`, and others that pass, by what it came to in each run with libc and with us."""
    runs = [tuple({"other": "passed", "known": known, **({"t": t} if t else {})} for t, known in
                  zip(run, ("passed", "failed"))) for run in runs]
    return Verdict(Plain, "1", *runs[0], runs[1:], THROUGH if through is None else through)


class Judge(unittest.TestCase):
    def test_the_same_is_fine(self):
        for outcome in ("passed", "failed", "skipped"):
            self.assertTrue(verdict([(outcome, outcome)]*4).fine)

    def test_worse(self):
        for ours in ("failed", "skipped", None):
            found = verdict([("passed", ours)]*4)
            self.assertEqual(found.worse, ["t"])
            self.assertFalse(found.fine)

    def test_worse_half_of_the_time(self):
        found = verdict([("passed", "failed"), ("passed", "passed"), ("passed", "failed"), ("passed", "passed")])
        self.assertEqual(found.worse, ["t"])

    def test_once_is_unsteady(self):
        found = verdict([("passed", "failed")] + [("passed", "passed")]*3)
        self.assertEqual((found.worse, found.unsteady), ([], ["t"]))
        self.assertTrue(found.fine)

    def test_better(self):
        found = verdict([("failed", "passed")]*4)
        self.assertEqual(found.better, ["t"])
        self.assertTrue(found.fine)

    def test_a_reason_that_is_none_any_more(self):
        same = {"known": "passed"}
        found = Verdict(Plain, "1", same, same, [], THROUGH)
        self.assertEqual(found.vanished, ["known"])
        self.assertFalse(found.fine)

    def test_a_library_that_was_not_there(self):
        for through in ({"processes": 0, "getaddrinfo": 0, "walks": 0}, {"processes": 1, "getaddrinfo": 0, "walks": 0}):
            self.assertFalse(verdict([("passed", "passed")]*4, through).fine)


class Readers(unittest.TestCase):
    def test_go(self):
        text = "=== RUN   A\n\x16--- PASS: A (0.00s)\n    --- FAIL: B/c (1.00s)\nx--- SKIP: C (0.1s)\n--- PASS: B/c (0s)\n"
        self.assertEqual(outcomes.go(text), {"A": "passed", "B/c": "failed", "C": "skipped"})

    def test_tap(self):
        text = "1..4\nok 1 - a\nnot ok 2 b\nok 3 - c # SKIP why\nnot ok 4 - d # TODO later\nok 5\nokay\n    ok 1 - sub\n"
        self.assertEqual(outcomes.tap(text, "p"), {"p: a": "passed", "p: b": "failed", "p: c": "skipped",
                                                   "p: d": "skipped", "p: 5": "passed"})

    def test_junit(self):
        text = ('<s><testcase name="a"/><testcase name="b"><failure/></testcase><testcase name="c"><skipped/>'
                '</testcase><testcase name="a"><error/></testcase></s>')
        self.assertEqual(outcomes.junit(text), {"a": "failed", "b": "failed", "c": "skipped"})

    def test_ruby(self):
        text = ("[1/4] A#test_a = 0.01 s\n[2/4] A::B#test_b = 0.00 s\n[3/4] C#test_c = 1.00 s\n[4/4] C#test_d = 1.00 s\n\n"
                "  1) Failure:\nA::B#test_b [x.rb:3]:\nwhy\n\n  2) Error:\nC#test_c:\nwhy\n\n  3) Skipped:\nC#test_d [x.rb:4]:\n")
        self.assertEqual(outcomes.ruby(text), {"A#test_a": "passed", "A::B#test_b": "failed", "C#test_c": "failed",
                                               "C#test_d": "skipped"})

    def test_unittest(self):
        text = ("test_a (m.C.test_a) ... ok\ntest_b (m.C.test_b)\nWhat it does. ... FAIL\n"
                "test_c (m.C.test_c) ... skipped 'why'\ntest_d (m.C) ... noise\nok\n")
        self.assertEqual(outcomes.unittest(text), {"m.C.test_a": "passed", "m.C.test_b": "failed",
                                                   "m.C.test_c": "skipped", "m.C.test_d": "passed"})


if __name__ == "__main__":
    unittest.main()
