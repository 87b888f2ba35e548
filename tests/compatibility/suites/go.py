"""Go's own tests of its network packages, with the resolver that calls libc."""

import re
import subprocess

import outcomes

from .suite import Suite


class Net(Suite):
    """Package net. Its tests skip themselves where they want the pure Go resolver."""

    name = "go-net"
    about = "Go, package `net`, built with `-tags netcgo`, `GODEBUG=netdns=cgo`"
    package = "net"
    #: Tests to run; all.
    pattern = "."
    limit = 600
    #: Tests of IPv6 beyond loopback run as well.
    flags = ("-ipv6",)

    def prepare(self, store):
        go = store.newest_go()
        program = store.folder("go") / f"{self.package.replace('/', '-')}.test"
        if not program.exists() or program.stat().st_mtime < go.stat().st_mtime:
            store.call([go, "test", "-c", "-tags", "netcgo", "-o", program, self.package],
                       # A module of its own: elsewhere programs behave like those of older versions.
                       folder=go.parents[1] / "src", environment=store.go_environment())
        version = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=True)
        (store.folder("go") / "root").write_text(str(go.parents[1]))
        return version.stdout.strip().removeprefix("go")

    def run(self, bed, folder, only):
        folder = folder.parent / "go"
        root = (folder / "root").read_text()
        pattern = self.pattern
        if only:
            tops = sorted({name.split("/")[0] for name in only})
            pattern = f"^({'|'.join(map(re.escape, tops))})$"
        program = folder / f"{self.package.replace('/', '-')}.test"
        text = bed.run(
            self.name,
            [program, "-test.v=test2json", f"-test.run={pattern}", f"-test.timeout={self.limit}s", *self.flags],
            self.limit + 20,
            folder=f"{root}/src/{self.package}",
            environment={"GODEBUG": "netdns=cgo", "GOROOT": root, "GOCACHE": "/run/go-cache",
                         "GOTOOLCHAIN": "local", "GOFLAGS": ""})
        return outcomes.go(text)


class Http(Net):
    """Package net/http: hundreds of servers and clients on loopback."""

    name = "go-http"
    about = "Go, package `net/http`, built and run the same way"
    package = "net/http"
    flags = ()


class Lookups(Net):
    """What of package net resolves names."""

    name = "quick-go"
    about = "Go, package `net`, lookups and dialing"
    pattern = "Lookup|Resolve|CGO|Cgo|DNS|DialerLocal|DualStack|TestProtocolDialError"
    limit = 120
