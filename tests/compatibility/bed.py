"""Where a suite runs: namespaces of its own, a small internet on loopback, with or without us.

`enter` starts this program again in new mount, network, UTS, IPC and process namespaces; what it
starts there ends with it. Inside, `Bed` lays out /etc, /run and /tmp, starts the name server, and
runs a suite's commands.
"""

import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
LIBRARY = Path(os.environ.get("RUSTDNS_DIST", REPOSITORY / "target/dist")).resolve() / "librustdns.so"
HERE = Path(__file__).resolve().parent

HOST_NAME = "tester"
LOG = Path("/run/rustdns.log")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

FILES = {
    "resolv.conf": "nameserver 127.0.0.1\n",
    "hosts": f"127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"
             f"192.0.2.1 {HOST_NAME}.example.test {HOST_NAME}\n",
    "nsswitch.conf": "hosts: files dns\nnetworks: files\nservices: files\nprotocols: files\n"
                     "passwd: files\ngroup: files\nshadow: files\n",
    "gai.conf": "",
    "host.conf": "multi on\n",
    "rustdns.conf": f"debug 1\nlog {LOG}\n",
}

KNOT = """server:
  rundir: "/run/knot"
  listen: 127.0.0.1@53
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
log:
  - target: stderr
    any: error
database:
  storage: "/run/knot"
zone:
"""


def enter(words):
    """The command line that runs this program with `words` inside."""
    namespaces = ["--mount", "--net", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"]
    program = [sys.executable, str(HERE), *words]
    if os.getuid() == 0:
        return ["unshare", *namespaces, *program]
    if subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
        return ["sudo", "-n", "-E", "unshare", *namespaces, *program]
    return ["unshare", "--user", "--map-root-user", *namespaces, *program]


class Ended(Exception):
    """A command that had to succeed did not."""


class Bed:
    """The inside of the namespaces: furnished when made."""

    def __init__(self, preload):
        self.preload = preload
        self.endings = {}
        self._mount()
        self._connect()
        self._serve()

    def _mount(self):
        for folder in ("/run", "/tmp", "/var/tmp"):
            # What this program needs may lie there itself.
            needed = [path for path in (REPOSITORY, LIBRARY.parent) if path.is_relative_to(folder)]
            kept = [(path, os.open(path, os.O_PATH)) for path in needed]
            self.run_or_fail("mount", "-t", "tmpfs", "tmpfs", folder)
            for path, descriptor in kept:
                path.mkdir(parents=True, exist_ok=True)
                # As it stands: mount would follow the link, to what covers it.
                link = f"/proc/{os.getpid()}/fd/{descriptor}"
                self.run_or_fail("mount", "--no-canonicalize", "--rbind", link, str(path))
                os.close(descriptor)
        os.chmod("/tmp", 0o1777)
        os.chmod("/var/tmp", 0o1777)
        # A cache in front of libc would hide it. Its socket is where /var/run leads.
        for cache in ("/var/run/nscd", "/var/cache/nscd"):
            if os.path.isdir(cache):
                self.run_or_fail("mount", "-t", "tmpfs", "tmpfs", cache)
        self.own("/etc")
        for name, text in FILES.items():
            path = Path("/etc", name)
            path.unlink(missing_ok=True)
            path.write_text(text)
        socket.sethostname(HOST_NAME)

    def own(self, folder):
        """Lets the folder be changed without anybody outside noticing."""
        place = Path("/run/own", str(folder).strip("/").replace("/", "-"))
        for part in ("upper", "work"):
            (place / part).mkdir(parents=True)
        layers = f"lowerdir={folder},upperdir={place}/upper,workdir={place}/work"
        self.run_or_fail("mount", "-t", "overlay", "overlay", "-o", layers, str(folder))

    def _connect(self):
        """Loopback, and one interface with an address of each family, from documentation ranges."""
        for words in (
            "link set lo up",
            "link add out0 type veth peer name peer0",
            "link set out0 addrgenmode none",
            "link set peer0 addrgenmode none",
            "link set out0 up",
            "link set peer0 up",
            "address add 192.0.2.1/24 dev out0",
            "address add 2001:db8::1/64 dev out0 nodad",
            # Nobody is there: what is sent beyond the interface is refused at once.
            "route add unreachable default",
            "-6 route add unreachable default",
        ):
            self.run_or_fail("ip", *words.split())
            if words.startswith("link add"):
                # Multicast leaves by the interface with an address, whichever was first to come up.
                Path("/proc/sys/net/ipv6/conf/peer0/disable_ipv6").write_text("1")
        # The internet of internet.zone, all of it this machine.
        for address in ("203.0.113.80/32", "2001:db8:80::80/128"):
            no_dad = ["nodad"] if ":" in address else []
            self.run_or_fail("ip", "address", "add", address, "dev", "lo", *no_dad)

    def _serve(self):
        folder = Path("/run/knot")
        folder.mkdir()
        _, *zones = (HERE / "internet.zone").read_text().split("$ORIGIN ")
        conf = KNOT
        for number, zone in enumerate(zones):
            domain, records = zone.split("\n", 1)
            (folder / f"{number}.zone").write_text(
                f"$ORIGIN {domain}\n$TTL 300\n"
                f"@ SOA ns.example.test. hostmaster.example.test. 1 3600 600 86400 60\n{records}")
            conf += (f"  - domain: {domain}\n    file: {folder}/{number}.zone\n    zonefile-sync: -1\n"
                     "    journal-content: none\n")
        (folder / "knot.conf").write_text(conf)
        with open(folder / "log", "wb") as log:
            self.server = subprocess.Popen(
                ["knotd", "-c", str(folder / "knot.conf")], stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, env={"PATH": PATH})
        if not answers(until=time.monotonic() + 20):
            raise Ended(f"knotd does not answer: {(folder / 'log').read_text()}")

    @staticmethod
    def run_or_fail(*words):
        done = subprocess.run(words, capture_output=True, text=True, check=False, env={"PATH": PATH})
        if done.returncode != 0:
            raise Ended(f"{' '.join(words)}: {done.stderr.strip()}")

    def run(self, name, words, limit, folder="/", environment=None, stdin=None):
        """Runs one of a suite's programs for at most `limit` seconds and gives its output, both
        streams in one. That it came to an end is a test too, called `name`."""
        status, text = self.status(name, words, limit, folder, environment, stdin)
        print(f"{text}\n{name}: {status}", flush=True)
        fine = status is not None and status >= 0
        self.endings[f"{name}: comes to an end"] = "passed" if fine else "failed"
        return text

    def status(self, name, words, limit, folder="/", environment=None, stdin=None):
        """The same for a program that is one test: its exit status, negative for a signal, `None`
        where time was over, and its output."""
        home = Path("/run/home")
        home.mkdir(exist_ok=True)
        variables = {"PATH": PATH, "HOME": str(home), "LC_ALL": "C.UTF-8", **(environment or {})}
        if self.preload:
            variables["LD_PRELOAD"] = str(LIBRARY)
        output = Path("/run/output")
        with open(output, "wb") as to:
            program = subprocess.Popen(
                [str(word) for word in words], cwd=folder, env=variables, stdout=to,
                stderr=subprocess.STDOUT, stdin=stdin or subprocess.DEVNULL, start_new_session=True)
            try:
                status = program.wait(limit)
            except subprocess.TimeoutExpired:
                status = None
        try:
            os.killpg(program.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        program.wait()
        return status, output.read_text(errors="replace")


def answers(until):
    """Whether the name server does, before the time is over."""
    query = struct.pack("!6H", 1, 0, 1, 0, 0, 0) + b"\x04ping\x00" + struct.pack("!2H", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.connect(("127.0.0.1", 53))
        asker.settimeout(0.05)
        while time.monotonic() < until:
            try:
                asker.send(query)
                asker.recv(512)
                return True
            except OSError:
                time.sleep(0.02)
    return False


def through_us():
    """What the debug trace counted: processes that had us inside, their calls of getaddrinfo, and
    names and addresses that any call looked up (one walk through nsswitch.conf each)."""
    try:
        text = LOG.read_text(errors="replace")
    except FileNotFoundError:
        text = ""
    return {
        "processes": len(set(re.findall(r"^rustdns\[(\d+)\]: rustdns \S+ answers", text, re.M))),
        "getaddrinfo": len(re.findall(r"^rustdns\[\d+\]: getaddrinfo ", text, re.M)),
        "walks": len(re.findall(r"^rustdns\[\d+\]: .*: files says ", text, re.M)),
    }
