# rustdns. `make help` lists what can be made.

CARGO   ?= cargo
PREFIX  ?= /usr/local
DESTDIR ?=
DIST    := target/dist
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
SOVERSION := 0

# Where libraries go: the multiarch folder under /usr, as Debian has it, plain lib elsewhere.
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
LIBDIR ?= $(PREFIX)/lib$(if $(filter /usr,$(PREFIX)),$(if $(MULTIARCH),/$(MULTIARCH)))

# std links libgcc_s.so.1 for unwinding; loading it is most of a program's start-up with us. This
# folder, first on the linker's path, has the static one stand in for it (docs/architecture.md).
UNWIND := target/unwind
# Relative relocations packed (DT_RELR) where libc knows them, from 2.36 on: less to read at start-up.
RELR := $(shell getconf GNU_LIBC_VERSION 2>/dev/null | awk '{ split($$2, v, "."); \
	if (v[1] > 2 || v[2] >= 36) print "-C link-arg=-Wl,-z,pack-relative-relocs" }')
# Code and read-only data in one segment, as GNU ld has it but for x86: two mappings fewer are 2 % of the
# start-up of /bin/true (docs/performance.md). Empty: as the linker likes.
LAYOUT ?= -C link-arg=-fuse-ld=bfd -C link-arg=-Wl,-z,noseparate-code
LINK = -C link-arg=-L$(CURDIR)/$(UNWIND) $(if $(TRIPLE),,$(RELR) $(LAYOUT)) \
	-C link-arg=-Wl,-soname,$(1) \
	-C link-arg=-Wl,-z,nodelete -C link-arg=-Wl,-z,relro,-z,now -C link-arg=-Wl,-z,noexecstack \
	-C link-arg=-Wl,-Bsymbolic -C link-arg=-Wl,--gc-sections

# For another architecture, set by scripts/cross: Rust's name for it, and tools that know its files.
# std is built too, so it is one folder for all, not one each.
TRIPLE  ?=
OBJCOPY ?= objcopy
FOLDER = $(if $(TRIPLE),target/cross,$(1))
BUILT = $(call FOLDER,$(1))$(if $(TRIPLE),/$(TRIPLE))/release
comma := ,
ACROSS = --target-dir $(call FOLDER,$(1)) $(if $(TRIPLE),--target $(TRIPLE) -Zbuild-std=std$(comma)panic_unwind)

# The debug information apart: $(call SPLIT,built,shipped).
define SPLIT
	$(OBJCOPY) --only-keep-debug $(1) $(2).debug
	$(OBJCOPY) --strip-unneeded --remove-section=.comment --add-gnu-debuglink=$(2).debug $(1) $(2)
endef

# rustdns.pc for libraries and headers in these folders: $(call PKGCONFIG,libdir,includedir).
PKGCONFIG = sed -e 's,@LIBDIR@,$(1),' -e 's,@INCLUDEDIR@,$(2),' -e 's,@VERSION@,$(VERSION),' rustdns.pc.in

SOURCES := $(shell find src -name '*.rs') build.rs Cargo.toml Cargo.lock Makefile
NSS := libnss_rustdns.so.2
ENCRYPTED := librustdns-encrypted.so
ENCRYPTED_SOURCES := $(shell find encrypted -type f) src/sys/encrypted/contract.rs Cargo.toml Cargo.lock Makefile

.PHONY: all
all: $(DIST)/librustdns.so $(DIST)/librustdns.a $(DIST)/$(NSS) $(DIST)/$(ENCRYPTED) $(DIST)/rustdns $(DIST)/rustdns.h $(DIST)/rustdns.pc ## the libraries and the command, into target/dist

$(UNWIND)/libgcc_s.so:
	@mkdir -p $(UNWIND)
	echo 'GROUP ( libgcc_eh.a libgcc.a )' > $@

# One crate type at a time: several in one go switch LTO off (docs/architecture.md).
$(DIST)/librustdns.so: $(SOURCES) | $(UNWIND)/libgcc_s.so
	@mkdir -p $(DIST)
	$(CARGO) rustc --release --lib --crate-type cdylib --features preload $(call ACROSS,target) \
		-- $(call LINK,librustdns.so.$(SOVERSION))
	$(call SPLIT,$(call BUILT,target)/librustdns.so,$@)
	ln -sf librustdns.so $@.$(SOVERSION)

# FEATURES=encrypted puts TLS and DNSSEC into the archive (docs/encrypted.md). Without, it has them from the
# object in LIBDIR and from nowhere else: a program is not where its libraries are.
FEATURES ?=
$(DIST)/librustdns.a: $(SOURCES) scripts/archive tests/symbols/librustdns.a.txt
	@mkdir -p $(DIST)
	RUSTDNS_ENCRYPTED=$(LIBDIR)/$(ENCRYPTED) $(CARGO) rustc --release --lib --crate-type staticlib $(if $(FEATURES),--features $(FEATURES)) $(call ACROSS,target)
	CC='$(CC)' OBJCOPY='$(OBJCOPY)' scripts/archive $(call BUILT,target)/librustdns.a $@

# The same crate built by another feature: only so does it export the module's functions alone.
$(DIST)/$(NSS): $(SOURCES) | $(UNWIND)/libgcc_s.so
	@mkdir -p $(DIST)
	$(CARGO) rustc --release --lib --crate-type cdylib --no-default-features --features nss \
		$(call ACROSS,target/nss) -- $(call LINK,$(NSS))
	$(call SPLIT,$(call BUILT,target/nss)/librustdns.so,$@)

# DNS over TLS and HTTPS, and DNSSEC, which librustdns.so loads from beside itself where they are
# configured. Left out where its cryptography can't be built (docs/encrypted.md). In a folder of its own: with
# `make -j` it is built while the others are.
$(DIST)/$(ENCRYPTED): $(ENCRYPTED_SOURCES) | $(UNWIND)/libgcc_s.so
	@mkdir -p $(DIST)
	@rm -f $(call BUILT,target/encrypted)/librustdns_encrypted.so
	$(CARGO) rustc --release -p rustdns-encrypted --lib --crate-type cdylib $(call ACROSS,target/encrypted) \
		-- $(call LINK,$(ENCRYPTED)) || echo '$(ENCRYPTED): left out, it does not build here' >&2
	if test -e $(call BUILT,target/encrypted)/librustdns_encrypted.so; then \
		$(OBJCOPY) --strip-unneeded $(call BUILT,target/encrypted)/librustdns_encrypted.so $@; \
	else rm -f $@; fi

# The command: a build of its own too, so that what it needs is in no library.
$(DIST)/rustdns: $(SOURCES)
	@mkdir -p $(DIST)
	RUSTDNS_MULTIARCH=$(MULTIARCH) $(CARGO) build --release --bin rustdns --no-default-features --features command,idn \
		$(call ACROSS,target/command)
	$(OBJCOPY) --strip-all $(call BUILT,target/command)/rustdns $@

$(DIST)/rustdns.h: include/rustdns.h
	@mkdir -p $(DIST)
	cp $< $@

# Usable where it lies: it finds library and header beside itself.
$(DIST)/rustdns.pc: rustdns.pc.in Makefile Cargo.toml
	@mkdir -p $(DIST)
	$(call PKGCONFIG,$${pcfiledir},$${pcfiledir}) > $@

# On standard output, for libraries and headers in PC_LIBDIR.
.PHONY: pkgconfig
pkgconfig:
	@$(call PKGCONFIG,$(PC_LIBDIR),$(PC_LIBDIR))

# The libraries for musl, into a folder of $(DIST) (docs/musl.md).
.PHONY: musl
musl: ## the libraries for musl
	scripts/musl

# The library in C for machines without Rust: a tarball, and a build of it for this machine that is
# tested, or with TARGET=alpha for that one (docs/portable-c.md).
.PHONY: portable-c
portable-c: ## the library in C for machines without Rust: a tarball, tested; TARGET=alpha
	scripts/portable-c $(or $(TARGET),test)

# All of it for other architectures, run under qemu (docs/architectures.md); TARGET= for one.
.PHONY: cross
cross: ## everything for other architectures, tested under qemu; TARGET= for one
	scripts/cross $(TARGET)

# include/rustdns.h anew, out of src/abi/api.rs. A build of its own: nothing else needs cbindgen.
HEADER_DIR ?= include
.PHONY: header
header: ## include/rustdns.h, from src/abi/api.rs
	@mkdir -p $(HEADER_DIR)
	RUSTDNS_HEADER_DIR=$(abspath $(HEADER_DIR)) \
		$(CARGO) check --quiet --lib --no-default-features --features header --target-dir target/header

.PHONY: demo
demo: ## programs that crash in libc, and the same programs with rustdns
	scripts/demo

.PHONY: test
test: ## install what the tests need, and run them all
	scripts/test

# The differential suite, and the rows of docs/divergences.md, with the libc of other releases of Debian; SUITES= for
# some of them.
SUITES ?= bullseye trixie sid
.PHONY: differential-roots
differential-roots: $(DIST)/librustdns.so ## compare with the libc of Debian 11, 13 and sid; SUITES=
	scripts/differential-roots $(SUITES)

# The long forms of tests/hosts: mixed load under faults for SECONDS, 10,000 forks.
SECONDS ?= 1200
.PHONY: soak
soak: all ## load under faults for SECONDS=1200, and 10,000 forks
	RUSTDNS_SOAK_SECONDS=$(SECONDS) RUSTDNS_SOAK_FORKS=10000 \
		$(CARGO) test --test hosts -- --test-threads=1 --nocapture mixed_load children_of

.PHONY: sanitize
sanitize: ## a model checker, AddressSanitizer and ThreadSanitizer
	scripts/sanitize

.PHONY: lint
lint: ## formatting, clippy, licences, scripts, imports
	scripts/lint

# TARGET: those of fuzz/fuzz_targets, all unless told; TIME: seconds for each.
TARGET ?=
TIME ?= 60
.PHONY: fuzz
fuzz: ## look for inputs that fail; TARGET=, TIME=60 seconds for each
	TIME=$(TIME) scripts/fuzz $(TARGET)

.PHONY: bench
bench: all ## lookups with other resolvers and with rustdns, side by side
	scripts/bench

.PHONY: compatibility
compatibility: ## other projects' test suites with libc and with rustdns
	scripts/compatibility

INCLUDEDIR ?= $(PREFIX)/include
BINDIR ?= $(PREFIX)/bin
LIBRARIES := librustdns.so librustdns.so.$(SOVERSION) librustdns.so.$(VERSION) librustdns.a $(NSS) $(ENCRYPTED)

MANDIR ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share
# Where bash, zsh and fish look for completions.
BASH_COMPLETION := bash-completion/completions/rustdns
ZSH_COMPLETION := zsh/site-functions/_rustdns
FISH_COMPLETION := fish/vendor_completions.d/rustdns.fish
COMPLETIONS = $(addprefix $(DESTDIR)$(DATADIR)/,$(BASH_COMPLETION) $(ZSH_COMPLETION) $(FISH_COMPLETION))
PAGES := $(wildcard docs/man/*.[1-9])
# Where the pages of these source files go: docs/man/x.5 is man5/x.5.
PLACES = $(foreach page,$(1),$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(page)))/$(notdir $(page)))

# What to read, and examples to copy from, in folders as here.
DOCDIR ?= $(PREFIX)/share/doc/rustdns
DOCS := README.md docs/deployment.md docs/divergences.md docs/faq.md docs/migration.md \
	$(shell find examples/apparmor examples/containers examples/kubernetes examples/systemd -type f)

.PHONY: install
install: all ## install; DESTDIR=, PREFIX=/usr/local, LIBDIR=, MANDIR=
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR) $(DESTDIR)$(BINDIR)
	install -m 644 $(DIST)/librustdns.so $(DESTDIR)$(LIBDIR)/librustdns.so.$(VERSION)
	ln -sf librustdns.so.$(VERSION) $(DESTDIR)$(LIBDIR)/librustdns.so.$(SOVERSION)
	ln -sf librustdns.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/librustdns.so
	install -m 644 $(DIST)/librustdns.a $(DESTDIR)$(LIBDIR)/librustdns.a
	install -m 644 $(DIST)/$(NSS) $(DESTDIR)$(LIBDIR)/$(NSS)
	test ! -e $(DIST)/$(ENCRYPTED) || install -m 644 $(DIST)/$(ENCRYPTED) $(DESTDIR)$(LIBDIR)/$(ENCRYPTED)
	install -D -m 644 encrypted/root-anchors.xml $(DESTDIR)$(DATADIR)/rustdns/root-anchors.xml
	install -m 644 include/rustdns.h $(DESTDIR)$(INCLUDEDIR)/rustdns.h
	install -m 755 $(DIST)/rustdns $(DESTDIR)$(BINDIR)/rustdns
	$(call PKGCONFIG,$(LIBDIR),$(INCLUDEDIR)) > $(DESTDIR)$(LIBDIR)/pkgconfig/rustdns.pc
	@chmod 644 $(DESTDIR)$(LIBDIR)/pkgconfig/rustdns.pc
	install -d $(dir $(COMPLETIONS))
	$(DIST)/rustdns completions bash > $(DESTDIR)$(DATADIR)/$(BASH_COMPLETION)
	$(DIST)/rustdns completions zsh > $(DESTDIR)$(DATADIR)/$(ZSH_COMPLETION)
	$(DIST)/rustdns completions fish > $(DESTDIR)$(DATADIR)/$(FISH_COMPLETION)
	@chmod 644 $(COMPLETIONS)
	$(foreach page,$(PAGES),install -D -m 644 $(page) $(call PLACES,$(page)) &&) true
	$(foreach file,$(DOCS),install -D -m 644 $(file) $(DESTDIR)$(DOCDIR)/$(file) &&) true
	@# The linker's cache belongs to the machine, not to a package being made.
	test -n '$(DESTDIR)' || ldconfig

.PHONY: uninstall
uninstall: ## remove what install put there
	rm -f $(addprefix $(DESTDIR)$(DOCDIR)/,$(DOCS))
	for folder in $(sort $(dir $(DOCS))) .; do \
		rmdir -p --ignore-fail-on-non-empty $(DESTDIR)$(DOCDIR)/$$folder 2>/dev/null; done || true
	rm -f $(addprefix $(DESTDIR)$(LIBDIR)/,$(LIBRARIES) pkgconfig/rustdns.pc) \
		$(DESTDIR)$(INCLUDEDIR)/rustdns.h $(DESTDIR)$(BINDIR)/rustdns $(call PLACES,$(PAGES)) \
		$(DESTDIR)$(DATADIR)/rustdns/root-anchors.xml $(COMPLETIONS)
	test -n '$(DESTDIR)' || ldconfig

# Debian packages of all that, into target/deb (packaging/debian/README.source).
.PHONY: deb
deb: all ## Debian packages, into target/deb
	scripts/deb

# Installs, upgrades, removes and purges them in a Debian system of their own.
.PHONY: deb-check
deb-check: all ## try the Debian packages in a fresh Debian
	scripts/deb-check

# The same for RPM, into target/rpm (packaging/rustdns.spec).
.PHONY: rpm
rpm: all ## RPM packages, into target/rpm
	scripts/rpm

# Every command of README.md, in a fresh Debian system.
.PHONY: readme-check
readme-check: ## run every command of README.md in a fresh Debian
	scripts/readme-check

# README.md's pictures anew, out of the demo and docs/performance.md.
.PHONY: pictures
pictures: ## README.md's pictures
	scripts/pictures

.PHONY: clean
clean:
	$(CARGO) clean

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "make %-20s %s\n", $$1 == "all" ? "" : $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
