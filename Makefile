# kiln: `make` builds, `make demo` shows, `make test` checks. `make help` lists the rest.
# The build itself is CMake's (CMakeLists.txt); here are only the ways in.

PREFIX ?= /usr/local
DESTDIR ?=
K6_LINK ?= yes
BUILD ?= build
BUILD_TYPE ?= Release
CMAKE_FLAGS ?=
JOBS ?= $(shell nproc 2>/dev/null || echo 2)

.PHONY: all help setup build demo playground test check check-asan bench scorecard format install uninstall clean fuzz

all: build

help:
	@echo "make             build $(BUILD)/kiln and $(BUILD)/quickpizza (installs missing packages first)"
	@echo "make demo        run examples/test.js against the playground, both from this build"
	@echo "make playground  quickpizza, and Prometheus where it is installed, until Ctrl-C"
	@echo "make test        every check: format, includes, unit, scenario, conformance, sanitizers"
	@echo "make check       the same without the sanitizer build"
	@echo "make check-asan  only the sanitizer build"
	@echo "make fuzz        one minute of libFuzzer for each target of tests/fuzz (needs clang)"
	@echo "make bench       measurements beside wrk, h2load and others, see bench/"
	@echo "make scorecard   the same, and writes bench/SCORECARD.md"
	@echo "make format      clang-format over the sources"
	@echo "make install     to PREFIX=$(PREFIX), DESTDIR=$(DESTDIR); K6_LINK=no leaves out the link k6"
	@echo "make clean       remove the build directories"

setup:
	@tools/setup.sh build

build: setup
	@cmake -S . -B $(BUILD) -G Ninja -DCMAKE_BUILD_TYPE=$(BUILD_TYPE) $(CMAKE_FLAGS) --log-level=NOTICE
	@cmake --build $(BUILD) -j $(JOBS)

demo: build
	@BUILD=$(BUILD) tools/demo.sh

playground: build
	@BUILD=$(BUILD) tools/playground.sh

test:
	@tools/setup.sh test
	@python3 tests/run_all.py -j $(JOBS)

check:
	@tools/setup.sh test
	@python3 tests/run_all.py -j $(JOBS) --release-only

check-asan:
	@tools/setup.sh test
	@python3 tests/run_all.py -j $(JOBS) --asan-only

bench scorecard:
	@tools/setup.sh bench
	@$(MAKE) --no-print-directory build
	@bench/run.sh $(if $(filter scorecard,$@),--store)

format:
	@tools/check_format.sh --fix

fuzz:
	@tools/setup.sh fuzz
	@tools/fuzz.sh

install: build
	@DESTDIR='$(DESTDIR)' cmake --install $(BUILD) --prefix '$(PREFIX)'
	@if [ '$(K6_LINK)' != no ]; then ln -sfn kiln '$(DESTDIR)$(PREFIX)/bin/k6'; echo "-- Linked: $(DESTDIR)$(PREFIX)/bin/k6 -> kiln"; fi

uninstall:
	rm -f '$(DESTDIR)$(PREFIX)/bin/kiln' '$(DESTDIR)$(PREFIX)/bin/quickpizza'
	@if [ "$$(readlink '$(DESTDIR)$(PREFIX)/bin/k6')" = kiln ]; then rm -f '$(DESTDIR)$(PREFIX)/bin/k6'; fi

clean:
	rm -rf $(BUILD) build-asan build-fuzz
