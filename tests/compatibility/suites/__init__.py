"""The suites, in the order of the table."""

from . import c, cpython, glibc, go, scripting

ALL = {suite.name: suite for suite in (
    glibc.Glibc(), c.GLib(), c.Libuv(), c.Libevent(),
    go.Net(), go.Http(),
    cpython.Socket(), cpython.Asyncio(), cpython.Clients(), scripting.Tornado(),
    scripting.Perl(), scripting.Ruby(), scripting.Node(), scripting.Php(),
)}

#: Parts of them, for `make test` and not for the table.
QUICK = {suite.name: suite for suite in (go.Lookups(), cpython.EventLoop())}
