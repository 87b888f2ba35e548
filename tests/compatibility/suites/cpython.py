"""CPython's own tests, as Debian packages them."""

import re
import subprocess

import outcomes

from .suite import Suite

#: Look up no name, and hang on a virtual machine whose host takes no vsock connection.
LEFT_OUT = ["test.test_socket.ThreadedVSOCKSocketStreamTest.*",
            "test.test_asyncio.*vsock*"]


class Tests(Suite):
    """Some of its modules."""

    modules = ()
    limit = 900

    def prepare(self, store):
        store.packages("python3", "libpython3.11-testsuite")
        version = subprocess.run(["/usr/bin/python3", "--version"], capture_output=True, text=True, check=True)
        return version.stdout.split()[1]

    def run(self, bed, folder, only):
        words = ["/usr/bin/python3", "-m", "test", "-v", "-u", "network", "--junit-xml", "/run/junit.xml"]
        for pattern in LEFT_OUT:
            words += ["--ignore", pattern]
        modules = self.modules
        if only:
            # Names end in what subtests add: `test_x (case='…')`.
            names = {name.split(" ")[0] for name in only}
            modules = [m for m in modules if any(re.search(rf"\b{re.escape(m)}\b", name) for name in names)]
            for name in sorted(names):
                words += ["--match", name]
        text = bed.run(self.name, words + list(modules), self.limit)
        try:
            with open("/run/junit.xml", encoding="utf-8") as report:
                return outcomes.junit(report.read())
        except FileNotFoundError:
            print(text[-2000:])
            return {}


class Socket(Tests):
    name = "cpython-socket"
    about = "CPython, `test_socket`"
    modules = ("test_socket",)


class Asyncio(Tests):
    name = "cpython-asyncio"
    about = "CPython, `test_asyncio`"
    modules = ("test_asyncio",)


class EventLoop(Tests):
    name = "quick-asyncio"
    about = "CPython, some of `test_asyncio`"
    modules = tuple(f"test_asyncio.test_{part}" for part in (
        "base_events", "events", "selector_events", "server", "sock_lowlevel", "streams"))
    limit = 240


class Clients(Tests):
    name = "cpython-clients"
    about = "CPython, its clients and servers: `test_ssl`, `test_httplib`, `test_ftplib`, …"
    modules = (
        "test_asyncore", "test_asynchat", "test_docxmlrpc", "test_ftplib", "test_httplib", "test_httpservers",
        "test_imaplib", "test_logging", "test_nntplib", "test_poplib", "test_robotparser", "test_selectors",
        "test_smtpd", "test_smtplib", "test_socketserver", "test_ssl", "test_telnetlib", "test_timeout",
        "test_urllib", "test_urllib2", "test_urllib2_localnet", "test_wsgiref", "test_xmlrpc",
    )
