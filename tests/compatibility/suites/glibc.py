"""glibc's own tests of its resolver, built against the libc that is installed."""

import shutil


from .suite import Suite

#: Folders of the source, and which of their tests call functions that we stand in for. Those that
#: look inside libc can't be built from outside; those of pure text functions prove nothing.
TESTS = {
    "resolv": (
        "tst-bug18665", "tst-bug18665-tcp", "tst-leaks", "tst-res_hconf_reorder", "tst-resolv-ai_idn",
        "tst-resolv-ai_idn-latin1", "tst-resolv-basic", "tst-resolv-binary",
        "tst-resolv-canonname", "tst-resolv-edns", "tst-resolv-network", "tst-resolv-noaaaa",
        "tst-resolv-nondecimal", "tst-resolv-qtypes", "tst-resolv-res_init-multi",
        "tst-resolv-search", "tst-resolv-trailing", "tst-resolv-trustad",
    ),
    "posix": ("tst-getaddrinfo", "tst-getaddrinfo2", "tst-getaddrinfo3", "tst-getaddrinfo4", "tst-getaddrinfo5"),
    "inet": ("tst-gethnm", "tst-getni1", "tst-getni2", "tst-network"),
    "nss": ("tst-nss-files-hosts-erange", "tst-nss-files-hosts-getent", "tst-nss-files-hosts-multi",
            "tst-nss-files-hosts-long", "tst-nss-gai-actions"),
}
#: Of the folder support: for tests of other things, and in need of what is inside libc.
NOT_BUILT = ("support_descriptors", "support_small_stack_thread_attribute", "support_stack_alloc", "xreadlink")
#: Paths that glibc's build tells its tests.
PATHS = {
    "SRCDIR": "/", "OBJDIR": "/run/objdir", "OBJDIR_ELF_LDSO": "/lib64/ld-linux-x86-64.so.2", "INSTDIR": "/usr",
    "LIBDIR": "/usr/lib", "BINDIR": "/usr/bin", "SBINDIR": "/usr/sbin", "ROOTSBINDIR": "/sbin", "SLIBDIR": "/lib",
    "COMPLOCALEDIR": "/usr/lib/locale", "SYSCONFDIR": "/etc",
}
LOCALES = {"en_US.UTF-8": ("en_US", "UTF-8"), "en_US.ISO-8859-1": ("en_US", "ISO-8859-1"),
           "de_DE.ISO-8859-1": ("de_DE", "ISO-8859-1"), "de_DE.UTF-8": ("de_DE", "UTF-8")}
SKIPPED = 77


class Glibc(Suite):
    """Each program is one test."""

    name = "glibc"
    about = "glibc, the tests of its resolver (`resolv/tst-*` and others)"
    #: They have limits of their own; the longest sends a million queries.
    limit = 1200
    explained = {
        "resolv/tst-bug18665-tcp": "a server breaks the connection off between two answers: the one that has "
                                   "come is kept, only the other asked for again",
    }

    def prepare(self, store):
        source, version = store.source("glibc")
        folder = store.folder(self.name)
        programs = folder / "programs"
        if programs.exists():
            return version
        shim = folder / "shim"
        shutil.rmtree(shim, ignore_errors=True)
        (shim / "objects").mkdir(parents=True)
        # Of the tree only the tests' own headers, or it would be compiled for itself.
        (shim / "support").symlink_to(source / "support")
        (shim / "test-skeleton.c").symlink_to(source / "test-skeleton.c")
        for header in ("libc-diag.h", "array_length.h", "intprops.h"):
            (shim / header).symlink_to(source / "include" / header)
        (shim / "config.h").write_text("")
        (shim / "stackinfo.h").write_text("#define _STACK_GROWS_DOWN 1\n")
        cc = ["cc", "-w", "-O1", "-D_GNU_SOURCE", "-DMODULE_NAME=testsuite", "-DTIMEOUTFACTOR=4", "-include",
              "limits.h", f"-I{shim}", f"-I{source}/support",
              *(f'-D{name}_PATH="{path}"' for name, path in PATHS.items())]
        objects = []
        for file in sorted((source / "support").glob("*.c")):
            if file.stem in NOT_BUILT or file.name.startswith(("tst-", "test-")) or "time64" in file.name \
                    or file.stem.endswith("_main") and file.stem != "support_test_main" \
                    or file.name.startswith(("echo-", "shell-", "true-", "links-", "README")):
                continue
            objects.append(shim / "objects" / f"{file.stem}.o")
            store.call([*cc, "-fgnu89-inline", "-c", file, "-o", objects[-1]])
        store.call(["ar", "rcs", shim / "libsupport.a", *objects])
        built = folder / "programs.new"
        shutil.rmtree(built, ignore_errors=True)
        built.mkdir()
        for part, tests in TESTS.items():
            for test in tests:
                store.call([*cc, f"-I{source / part}", source / part / f"{test}.c", "-o", built / test,
                            shim / "libsupport.a", "-lresolv", "-lanl"])
                if (root := source / part / f"{test}.root").exists():
                    shutil.copytree(root, built / f"{test}.root")
        for name, (locale, charset) in LOCALES.items():
            store.call(["localedef", "--no-archive", "--force", "--quiet", "-i", source / "localedata/locales" / locale, "-f", source / "localedata/charmaps" / charset,
                        built / name], environment={"I18NPATH": str(source / "localedata")})
        built.rename(programs)
        return version

    def run(self, bed, folder, only):
        programs = folder / "programs"
        outcomes = {}
        for part, tests in TESTS.items():
            for test in tests:
                name = f"{part}/{test}"
                if only and name not in only:
                    continue
                words = [programs / test]
                if (root := programs / f"{test}.root").exists():
                    # Made for a root of its own, of which only /etc matters.
                    words = ["unshare", "--mount", "sh", "-c",
                             f'mount -t tmpfs tmpfs /mnt && cp -a /etc/. "{root}/etc/." /mnt && '
                             f'mount --bind /mnt /etc && exec "{programs / test}"']
                elif part == "nss":
                    # The order of addresses shall not come from those of an interface.
                    words = ["unshare", "--net", "sh", "-c", f'ip link set lo up && exec "{programs / test}"']
                status, text = bed.status(name, words, self.limit, environment={
                    # Their servers count questions, and answer the same one differently each time.
                    "LOCPATH": str(programs), "RUSTDNS_CACHE": "off"})
                outcomes[name] = {0: "passed", SKIPPED: "skipped"}.get(status, "failed")
                if outcomes[name] == "failed":
                    print(f"{name}: {status}\n{text}", flush=True)
        return outcomes
