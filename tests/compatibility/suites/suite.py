"""What a suite is."""


class Suite:
    """Tests that somebody else has written. Subclasses say how to get and run them."""

    #: What it is called in the table and on the command line.
    name = ""
    #: What is tested with, for the table.
    about = ""
    #: Tests that pass with libc and not with us, on purpose, and why. One that passes fails the run.
    explained = {}

    def prepare(self, store):
        """Outside: fetches and builds what is missing, in `store.folder(name)`. Gives the version."""
        raise NotImplementedError

    def run(self, bed, folder, only):
        """Inside: runs the tests and gives their outcomes by name; those in `only` if it is not
        empty, others with them where they can't be had alone."""
        raise NotImplementedError
