"""What suites are made of: packages of the machine's own sources, kept in target/compatibility."""

import os
import re
import subprocess
from pathlib import Path

from bed import REPOSITORY

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")).resolve()


class Store:
    """The folder that all is fetched to and built in. Nothing of it is ever committed."""

    def __init__(self):
        self.top = TARGET / "compatibility"
        self.top.mkdir(parents=True, exist_ok=True)
        self._listed = False

    def folder(self, name):
        """A folder of a suite's own."""
        folder = self.top / name
        folder.mkdir(exist_ok=True)
        return folder

    @staticmethod
    def call(words, folder=None, environment=None):
        """Runs a command that has to succeed; says what it printed where it did not."""
        done = subprocess.run(
            [str(word) for word in words], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, errors="replace", check=False, env={**os.environ, **(environment or {})})
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(map(str, words))}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done.stdout

    @staticmethod
    def packages(*names):
        """Debian packages that have to be installed; scripts/packages.compatibility lists them."""
        for name in names:
            state = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", name],
                                   capture_output=True, text=True, check=False).stdout
            if state != "installed":
                raise SystemExit(f"{name} is not installed: scripts/install-deps compatibility")

    @staticmethod
    def version(package):
        """Of an installed package."""
        return subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package],
                              capture_output=True, text=True, check=True).stdout

    def newest_go(self):
        """The path of the newest Go's command."""
        return Path(self.call([REPOSITORY / "scripts/newest-go"]).strip())

    def go_environment(self):
        """For a build with it."""
        return {"CGO_ENABLED": "1", "GOTOOLCHAIN": "local", "GOFLAGS": "",
                "GOCACHE": str(self.folder("go") / "cache")}

    # Sources of Debian's packages.

    def source(self, package):
        """Fetches and unpacks a package's source, patched as Debian builds it. Gives its folder and
        the upstream version. The newest version that the archive still has is taken."""
        place = self.folder("sources") / package
        version = place / "version"
        if not version.exists():
            self._list_sources()
            place.mkdir(exist_ok=True)
            text = self.call(["apt-cache", *self._apt(), "showsrc", package])
            versions = re.findall(rf"^Package: {re.escape(package)}$.*?^Version: (\S+)$", text, re.M | re.S)
            for candidate in sorted(set(versions), reverse=True):
                try:
                    self.call(["apt-get", *self._apt(), "source", f"{package}={candidate}"], folder=place)
                except SystemExit as why:
                    print(f"{package} {candidate}: {str(why).splitlines()[-1]}", flush=True)
                    continue
                version.write_text(candidate)
                break
            else:
                raise SystemExit(f"no source of {package} can be had")
        folders = [path for path in place.iterdir() if path.is_dir()]
        debian = version.read_text()
        return folders[0], re.sub(r"^\d+:|[+~-](?:dfsg|ds|stable)?.*$", "", debian)

    def _apt(self):
        """apt with a configuration of our own: the machine's is not changed."""
        apt = self.top / "apt"
        return ["-q", "-o", "Dir::Etc::SourceList=/dev/null", "-o", f"Dir::Etc::SourceParts={apt}/parts",
                "-o", f"Dir::State::Lists={apt}/lists", "-o", f"Dir::Cache={apt}/cache",
                "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=2"]

    def _list_sources(self):
        """The machine's own package sources, asked for source code instead of programs."""
        if self._listed:
            return
        apt = self.top / "apt"
        for folder in ("parts", "lists/partial", "cache/archives/partial"):
            (apt / folder).mkdir(parents=True, exist_ok=True)
        old = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*.list")]
        text = "".join(path.read_text() for path in old if path.exists())
        (apt / "parts/old.list").write_text(re.sub(r"(?m)^deb(?=\s)", "deb-src", text))
        for path in Path("/etc/apt/sources.list.d").glob("*.sources"):
            (apt / "parts" / path.name).write_text(
                re.sub(r"(?m)^Types:.*$", "Types: deb-src", path.read_text()))
        self.call(["apt-get", *self._apt(), "update"])
        self._listed = True
