"""Libraries in C whose tests resolve names: GLib, libuv, libevent."""

import re
from pathlib import Path

import outcomes

from .suite import Suite


class GLib(Suite):
    """Installed tests of gio, as Debian packages them."""

    name = "glib"
    about = "GLib, gio's tests of sockets, addresses and the resolver"
    folder = "/usr/libexec/installed-tests/glib"
    programs = ("inet-address", "network-address", "network-monitor", "proxy-test",
                "resolver-parsing", "socket", "socket-address", "socket-listener", "socket-service")

    def prepare(self, store):
        store.packages("libglib2.0-tests")
        return re.sub(r"-.*", "", store.version("libglib2.0-tests"))

    def run(self, bed, folder, only):
        found = {}
        for program in self.programs:
            if not only or any(name.startswith(f"{program}: ") for name in only):
                environment = {"G_TEST_SRCDIR": self.folder, "G_TEST_BUILDDIR": self.folder, "GIO_USE_VFS": "local"}
                text = bed.run(program, [f"{self.folder}/{program}", "--tap", "-k"], 120, self.folder, environment)
                found.update(outcomes.tap(text, program))
        return found


class Libuv(Suite):
    """The whole suite; each test is a process of its own."""

    name = "libuv"
    about = "libuv"
    #: Compiled for all of Unix, and for Linux; what is not there in a version is left out.
    sources = ("async core dl fs getaddrinfo getnameinfo loop-watcher loop pipe poll process random-devurandom "
               "signal stream tcp thread tty udp proctitle epoll linux linux-core linux-inotify linux-syscalls "
               "procfs-exepath random-getrandom random-sysctl-linux").split()

    def prepare(self, store):
        source, version = store.source("libuv1")
        program = store.folder(self.name) / "run-tests"
        if not program.exists():
            cc = ["cc", "-w", "-O1", "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64", "-D_POSIX_C_SOURCE=200112",
                  f"-I{source}/include", f"-I{source}/src"]
            unix = [source / f"src/unix/{name}.c" for name in self.sources]
            objects = store.folder(self.name) / "objects"
            objects.mkdir(exist_ok=True)
            store.call([*cc, "-c", *source.glob("src/*.c"), *(path for path in unix if path.exists())], folder=objects)
            # An archive: some tests bring what they test with them.
            store.call(["ar", "rcs", "libuv.a", *(path.name for path in objects.glob("*.o"))], folder=objects)
            tests = [path for path in sorted(source.glob("test/*.c"))
                     if not path.name.startswith(("benchmark-", "run-benchmarks", "runner-win"))]
            store.call([*cc, *tests, objects / "libuv.a", "-o", program, "-lpthread", "-ldl", "-lutil"])
        (store.folder(self.name) / "source").write_text(str(source))
        return version

    def run(self, bed, folder, only):
        source = (folder / "source").read_text()
        bed.own(source)
        program = folder / "run-tests"
        # It refuses to run as root.
        Path(source).chmod(0o777)
        words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program]
        if not only:
            return outcomes.tap(bed.run(self.name, words, 900, source), self.name)
        found = {}
        for name in only:
            status, _ = bed.status(name, [*words, name.partition(": ")[2]], 120, source)
            found[name] = "passed" if status == 0 else "failed"
        return found


class Libevent(Suite):
    """Its regression tests, those of DNS and of addresses among them."""

    name = "libevent"
    about = "libevent, `test/regress`"
    #: Switched off by default, for they ask the internet.
    live = [f"+{test}" for test in ("util/getaddrinfo_live", "util/getaddrinfo_AI_ADDRCONFIG")]
    explained = {
        "dns/bufferevent_connect_hostname_emfile": "no descriptor is left: libc can't read the hosts file, and "
                                                   "`localhost` is known without it",
    }

    def prepare(self, store):
        source, version = store.source("libevent")
        if not (source / "test/regress").exists():
            store.call(["./configure", "--disable-samples", "--disable-openssl", "--disable-shared"], folder=source)
            # Debian's patches make what autotools made look old.
            make = ["make", "-j2", "AUTOMAKE=:", "AUTOCONF=:", "AUTOHEADER=:", "ACLOCAL=:"]
            store.call([*make, "include/event2/event-config.h"], folder=source)
            store.call([*make, "test/regress"], folder=source)
        (store.folder(self.name) / "source").write_text(str(source))
        return version

    def run(self, bed, folder, only):
        source = (folder / "source").read_text()
        bed.own(source)
        wanted = [f"+{name}" for name in only if "/" in name] or ["..", *self.live]
        text = bed.run(self.name, [f"{source}/test/regress", *wanted], 900, source)
        # What a test prints comes between its name and its outcome.
        return outcomes.lines(
            text, r"^(?P<name>[\w/]+): (?:(?!\n[\w/]+: ).|\n(?![\w/]+: ))*?(?P<outcome>OK|SKIPPED|DISABLED|FAILED\])",
            {"OK": "passed", "FAILED]": "failed", "SKIPPED": "skipped", "DISABLED": "skipped"})
