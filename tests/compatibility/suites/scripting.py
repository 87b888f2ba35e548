"""Script languages: Perl, Ruby, Node, PHP, and a web framework in Python."""

import re
import subprocess
from pathlib import Path

import outcomes

from .suite import Suite


class Perl(Suite):
    """Modules of Perl's core that resolve names or open sockets, with the perl that is installed."""

    name = "perl"
    about = "Perl: Socket, IO::Socket::IP, IO, libnet, Net::hostent and relatives"
    parts = ("cpan/Socket", "cpan/IO-Socket-IP", "cpan/libnet")
    #: These run from the source's folder t, with its own library path.
    core = ("dist/IO/t", "lib/Net")

    def prepare(self, store):
        store.packages("perl")
        source, version = store.source("perl")
        (store.folder(self.name) / "source").write_text(str(source))
        return version

    def run(self, bed, folder, only):
        source = (folder / "source").read_text()
        bed.own(source)
        # They look for modules in ../lib, which is empty before a build.
        paths = subprocess.run(["perl", "-e", "print join ':', grep { -d } @INC"], capture_output=True, text=True,
                               check=True).stdout
        bed.run_or_fail("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={source}/lib:{paths}", f"{source}/lib")
        found = {}
        for part in (*self.parts, *self.core):
            place, tests = (f"{source}/t", f"../{part}") if part in self.core else (f"{source}/{part}", "t")
            for test in sorted((Path(place) / tests).glob("*.t")):
                name = f"{part.removesuffix('/t')}/{test.name}"
                if only and not any(other.startswith(f"{name}: ") for other in only):
                    continue
                text = bed.run(name, ["perl", f"{tests}/{test.name}"], 120, place)
                found.update(outcomes.tap(text, name))
        return found


class Ruby(Suite):
    """Its own tests of sockets and of what is built on them, with the ruby that is installed."""

    name = "ruby"
    about = "Ruby, `test/socket`, `test/net`, `test/resolv`, `test/open-uri`, `test/drb`"
    parts = ("socket", "net", "resolv", "open-uri", "drb")

    def prepare(self, store):
        store.packages("ruby")
        source, version = store.source("ruby3.1")
        (store.folder(self.name) / "source").write_text(str(source))
        return version

    def run(self, bed, folder, only):
        source = (folder / "source").read_text()
        bed.own(source)
        words = ["ruby", "-Itool/lib", "-Itest/lib", "test/runner.rb", "-v"]
        if only:
            words += ["-n", f"/^({'|'.join(re.escape(name.partition('#')[2]) for name in only)})$/"]
        text = bed.run(self.name, [*words, *(f"test/{part}" for part in self.parts)], 600, source)
        return outcomes.ruby(text)


class Node(Suite):
    """Node's tests of names and sockets, with a node of their own version."""

    name = "node"
    about = "Node.js, `test/parallel` and `test/sequential`: dns, net, dgram, http, https, tls, cluster"
    patterns = [f"{folder}/test-{part}*" for folder in ("parallel", "sequential")
                for part in ("dns", "net", "dgram", "http", "https", "tls", "cluster")]

    def prepare(self, store):
        source, version = store.source("nodejs")
        (store.folder(self.name) / "source").write_text(str(source))
        installed = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()
        place = store.folder(self.name) / "node_modules/node/bin/node"
        if installed == f"v{version}":
            place = "/usr/bin/node"
        elif not place.exists():
            # Not the one that Debian packages; releases are packaged for npm as well.
            store.call(["npm", "install", "--silent", "--no-save", "--prefix", store.folder(self.name), f"node@{version}"])
        (store.folder(self.name) / "program").write_text(str(place))
        return version

    def run(self, bed, folder, only):
        source = (folder / "source").read_text()
        bed.own(source)
        # Debian has its test.py run what lies there.
        (Path(source) / "node").symlink_to((folder / "program").read_text())
        words = ["/usr/bin/python3", "tools/test.py", "-p", "tap", "-j2", "-t", "60"]
        names = [name.partition(": ")[2] for name in only]
        text = bed.run(self.name, [*words, *(names or self.patterns)], 1500, source)
        return outcomes.tap(text, self.name)


class Php(Suite):
    """PHP's tests of names, sockets and streams, with the php that is installed."""

    name = "php"
    about = "PHP, `ext/standard/tests/network`, `ext/sockets/tests`, streams, curl"
    parts = ("ext/standard/tests/network", "ext/sockets/tests", "ext/standard/tests/streams",
             "ext/standard/tests/http", "ext/openssl/tests")

    def prepare(self, store):
        store.packages("php-cli")
        source, version = store.source("php8.2")
        (store.folder(self.name) / "source").write_text(str(source))
        return version

    def run(self, bed, folder, only):
        source = (folder / "source").read_text()
        bed.own(source)
        words = ["php", "run-tests.php", "-p", "/usr/bin/php", "-q", "--no-color", "-g", "PASS,FAIL,SKIP,XFAIL,LEAK"]
        text = bed.run(self.name, [*words, *(sorted(only) or self.parts)], 900, source)
        return outcomes.lines(text, r"^(?P<outcome>PASS|FAIL|SKIP|XFAIL) .*\[(?P<name>[^\]]*\.phpt)\]",
                              {"PASS": "passed", "FAIL": "failed", "SKIP": "skipped", "XFAIL": "skipped"})


class Tornado(Suite):
    """A web framework with resolvers of its own over getaddrinfo."""

    name = "tornado"
    about = "Tornado, `tornado.test`"

    def prepare(self, store):
        place = store.folder(self.name) / "packages"
        if not place.exists():
            store.call(["/usr/bin/python3", "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile",
                        "--root-user-action=ignore", "--target", place, "tornado"])
        done = subprocess.run(["/usr/bin/python3", "-c", "import tornado; print(tornado.version)"], check=True,
                              capture_output=True, text=True, env={"PYTHONPATH": str(place)})
        return done.stdout.strip()

    def run(self, bed, folder, only):
        words = ["/usr/bin/python3", "-m", "tornado.test", "--verbose"]
        text = bed.run(self.name, [*words, *sorted(only)], 600, "/run",
                       {"PYTHONPATH": str(folder / "packages"), "PYTHONDONTWRITEBYTECODE": "1"})
        return outcomes.unittest(text)
