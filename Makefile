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
LINK := -C link-arg=-L$(CURDIR)/$(UNWIND) \
	-C link-arg=-Wl,-soname,librustdns.so.$(SOVERSION) \
	-C link-arg=-Wl,-z,nodelete -C link-arg=-Wl,-z,relro,-z,now -C link-arg=-Wl,-z,noexecstack \
	-C link-arg=-Wl,-Bsymbolic -C link-arg=-Wl,--gc-sections

SOURCES := $(shell find src -name '*.rs') Cargo.toml Cargo.lock Makefile

.PHONY: all
all: $(DIST)/librustdns.so $(DIST)/librustdns.a

# One crate type at a time: several in one go switch LTO off (docs/architecture.md).
$(DIST)/librustdns.so: $(SOURCES)
	@mkdir -p $(DIST) $(UNWIND)
	echo 'GROUP ( libgcc_eh.a libgcc.a )' > $(UNWIND)/libgcc_s.so
	$(CARGO) rustc --release --lib --crate-type cdylib -- $(LINK)
	objcopy --only-keep-debug target/release/librustdns.so $@.debug
	objcopy --strip-unneeded --add-gnu-debuglink=$@.debug target/release/librustdns.so $@

$(DIST)/librustdns.a: $(SOURCES)
	@mkdir -p $(DIST)
	$(CARGO) rustc --release --lib --crate-type staticlib
	objcopy --strip-debug target/release/librustdns.a $@

.PHONY: demo
demo:
	scripts/demo

.PHONY: test
test:
	scripts/test

.PHONY: lint
lint:
	scripts/lint

.PHONY: bench
bench: all
	scripts/bench

.PHONY: install
install: all
	install -d $(DESTDIR)$(LIBDIR)
	install -m 644 $(DIST)/librustdns.so $(DESTDIR)$(LIBDIR)/librustdns.so.$(VERSION)
	ln -sf librustdns.so.$(VERSION) $(DESTDIR)$(LIBDIR)/librustdns.so.$(SOVERSION)
	ln -sf librustdns.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/librustdns.so
	install -m 644 $(DIST)/librustdns.a $(DESTDIR)$(LIBDIR)/librustdns.a

.PHONY: uninstall
uninstall:
	rm -f $(DESTDIR)$(LIBDIR)/librustdns.so $(DESTDIR)$(LIBDIR)/librustdns.so.$(SOVERSION) \
		$(DESTDIR)$(LIBDIR)/librustdns.so.$(VERSION) $(DESTDIR)$(LIBDIR)/librustdns.a

.PHONY: clean
clean:
	$(CARGO) clean

.PHONY: help
help:
	@echo 'make            the libraries, into $(DIST)'
	@echo 'make demo       the crash with libc, and the same programs with rustdns'
	@echo 'make test       installs what is missing and runs every test'
	@echo 'make lint       formatting, clippy, licences, scripts'
	@echo 'make install    DESTDIR= PREFIX=$(PREFIX) LIBDIR=$(LIBDIR)'
	@echo 'make uninstall  removes what install put there'
	@echo 'make bench      lookups with libc and with rustdns side by side, a table'
