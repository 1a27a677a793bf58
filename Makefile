# SPDX-License-Identifier: GPL-2.0
#
# Builds, tests and installs ptelab, and runs its main job.
#
#	make			build/native/ptelab
#	make arm64		build/arm64/ptelab, static, to copy to a host
#	make ab			the main job: build two kernels, boot, compare
#	make test		all tests
#	make install		DESTDIR= PREFIX=/usr/local
#
# "make help" lists all targets. ab and test install missing Debian packages,
# after listing them; other targets install nothing.

SHELL		:= /bin/bash
PREFIX		?= /usr/local
DESTDIR		?=
CACHE		?= $(or $(PTELAB_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ptelab)

CC		?= cc
ARM64_CC	?= aarch64-linux-gnu-gcc
WARN		:= -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
		   -Wmissing-prototypes -Wpointer-arith -Wvla
CFLAGS		?= -O2 -g
LDLIBS_STATIC	:= -lconfig -luring -ljansson -lgsl -lgslcblas -lmd -lz -lm -lpthread

VARIANT		?= native
BUILD		:= build/$(VARIANT)

ifeq ($(VARIANT),native)
  ifneq ($(shell uname -m),aarch64)
    ARCH_SRC	:= x86
  endif
  CC_USED	:= $(CC)
  LINK		:= -static
endif
ifeq ($(VARIANT),arm64)
  CC_USED	:= $(ARM64_CC)
  LINK		:= -static
  # What Debian can't install beside the native package is unpacked here.
  SYSROOT	:= $(CACHE)/sysroot/arm64
  EXTRA_CPPFLAGS := $(if $(wildcard $(SYSROOT)),-isystem $(SYSROOT)/usr/include)
  LINK		+= $(if $(wildcard $(SYSROOT)),-L$(SYSROOT)/usr/lib/aarch64-linux-gnu)
endif
ifeq ($(VARIANT),clang)
  CC_USED	:= clang
  LINK		:= -static
endif
# For the tests: every report ends the program. Optimizing takes twice as long as the
# rest of the compiler, and hides some errors from the sanitizers.
ifeq ($(VARIANT),asan)
  CC_USED	:= $(CC)
  EXTRA_CFLAGS	:= -fsanitize=address,undefined -fno-sanitize-recover=all \
		   -fno-omit-frame-pointer -O0 -g1
  LINK		:= -fsanitize=address,undefined
endif
ifeq ($(VARIANT),tsan)
  CC_USED	:= $(CC)
  # ptelab's own threads do not synchronize with the fences that benchmarks measure.
  EXTRA_CFLAGS	:= -fsanitize=thread -fno-omit-frame-pointer -O1 -Wno-tsan
  LINK		:= -fsanitize=thread
endif

# Files and lines of kernels, for ptelab changes. The cross-built ptelab measures
# hosts, where there are no kernels to compare, and does without.
ifneq ($(VARIANT),arm64)
  EXTRA_CPPFLAGS += -DHAVE_LIBDW
  LDLIBS_STATIC := -ldw -lelf $(LDLIBS_STATIC)
endif

CPPFLAGS_ALL	:= -D_GNU_SOURCE -I. -I$(BUILD)/gen $(EXTRA_CPPFLAGS) $(CPPFLAGS)
CFLAGS_ALL	:= -std=gnu11 $(WARN) $(if $(findstring clang,$(CC_USED)),,-Wno-format-truncation) $(CFLAGS) $(EXTRA_CFLAGS)

SRC		:= $(wildcard lib/*.c bench/*.c bench/*/*.c analysis/*.c analysis/*/*.c cli/*.c)
-include bpf/Makefile.inc
OBJ		:= $(SRC:%.c=$(BUILD)/%.o)
# Everything except main(), for the unit tests.
LIBOBJ		:= $(filter-out $(BUILD)/cli/ptelab.o,$(OBJ))
GP		:= $(wildcard analysis/draw/*.gp analysis/site/*.css analysis/site/*.js)
LITMUS		:= $(wildcard lib/litmus/*.litmus)
GEN		:= $(BUILD)/gen/analysis_gp.h $(BUILD)/gen/litmus_tests.h

.PHONY: all
all: $(BUILD)/ptelab

# The plugin runs in the emulator, so build it for this machine only.
ifneq ($(filter native clang,$(VARIANT)),)
all: $(BUILD)/count.so
endif

COUNT_OBJ	:= $(patsubst %.c,$(BUILD)/pic/%.o,$(wildcard emu/*.c) lib/a64class.c)

$(BUILD)/count.so: $(COUNT_OBJ)
	@echo "  LD      $@"
	@$(CC_USED) $(CFLAGS_ALL) -shared $(LDFLAGS) -o $@ $^

$(BUILD)/pic/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $@"
	@$(CC_USED) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -fPIC -fvisibility=hidden -MMD -MP -c -o $@ $<

$(BUILD)/ptelab: $(OBJ)
	@echo "  LD      $@"
	@$(CC_USED) $(CFLAGS_ALL) $(LINK) $(LDFLAGS) -o $@ $(OBJ) $(LDLIBS_STATIC)

$(BUILD)/%.o: %.c | $(GEN)
	@mkdir -p $(@D)
	@echo "  CC      $@"
	@$(CC_USED) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# The litmus tests as C functions.
$(BUILD)/gen/litmus_tests.h: lib/litmus/c.awk $(LITMUS)
	@mkdir -p $(@D)
	@awk -f lib/litmus/c.awk $(LITMUS) > $@.tmp && mv $@.tmp $@

# The same tests as instructions, for herd7 and litmus7.
.PHONY: litmus
litmus:
	@for arch in AArch64 X86_64; do \
		mkdir -p build/litmus/$$arch; \
		for f in $(LITMUS); do \
			awk -v arch=$$arch -f lib/litmus/asm.awk "$$f" \
				> "build/litmus/$$arch/$${f##*/}" || exit 2; \
		done; \
		echo "build/litmus/$$arch"; \
	done

# gnuplot templates, and a site's style and script, as C strings: analysis/draw/x-y.gp
# becomes x_y_gp
$(BUILD)/gen/analysis_gp.h: $(GP) Makefile
	@mkdir -p $(@D)
	@{ echo '/* Made by the Makefile of gnuplot templates, and the style and script of a site. */'; \
	   for f in $(GP); do \
		n=$$(basename $$f | tr -c 'a-zA-Z0-9\n' _); \
		echo "static const char $$n[] __attribute__((unused)) ="; \
		sed '/^[^ ]* SPDX/d; s/\\/\\\\/g; s/"/\\"/g; s/^/"/; s/$$/\\n"/' $$f; \
		echo ';'; \
	   done; } > $@.tmp && mv $@.tmp $@

-include $(OBJ:.o=.d) $(COUNT_OBJ:.o=.d)

.PHONY: arm64 clang asan tsan
arm64 clang asan tsan:
	@$(MAKE) --no-print-directory VARIANT=$@ all

# --- the main job ---

# Pass the caller's variables to scripts/ab and scripts/trend through the environment.
AB_VARS	:= SERIES KERNEL TREE BASE NEW PATCHES NAME IMAGE_BASE IMAGE_NEW RELEASES CONFIG SEEDS JOB COUNT TIMEOUT \
	   MBOX WHICH EACH FRESH
BISECT_VARS := GOOD BAD ROW MODE FROM AHEAD
TREND_VARS := KERNELS RANGE EVERY
export $(AB_VARS) $(BISECT_VARS) $(TREND_VARS)
# make accepts any variable, and a file name as a target. Let the scripts refuse
# PATCH=a.patch, and what a blank separates from PATCHES=a.patch b.patch.
ODD	:= $(filter-out $(AB_VARS) $(BISECT_VARS) $(TREND_VARS) CACHE PTELAB_CACHE PTELAB_TREES PTELAB_CPUS CROSS_COMPILE \
		TMPDIR %HOME %CC %FLAGS,$(foreach v,$(.VARIABLES),$(if $(filter command,$(origin $v)),$v))) \
	   $(filter %.patch %.diff %.mbox %.mbx %.eml,$(MAKECMDGOALS))

.PHONY: deps ab bisect trend three
deps:
	@scripts/deps
ab:
	@scripts/ab $(ODD)
bisect:
	@scripts/bisect $(ODD)
trend:
	@scripts/trend $(ODD)
reproduce: export SOURCE := $(SOURCE)
reproduce:
	@scripts/reproduce $(if $(TRUST),--trust) $(HASH) $(FROM)
three:
	@scripts/three-kernels

# Makes the results that ship in runs/example-* again
.PHONY: examples site-example
examples:
	@scripts/examples $(SERIES)
# Pages of the trend that ships, in build/site
site-example: $(BUILD)/ptelab
	@$(BUILD)/ptelab site runs/example-trend -o build/site

# --- tests ---

.PHONY: test test-unit test-lab test-quick
test:
	@scripts/deps
	@tests/run
test-unit test-lab test-quick:
	@tests/run $(@:test-%=%)

# Run before a commit; BASE=x sets what checkpatch compares with.
.PHONY: check each-commit costs
check:
	@tests/run check
each-commit:
	@tests/each-commit $(BASE)
# The cost of each test, from the log of the last run; tests/run plans with it.
costs:
	@tests/run --costs

# Sweeps over real reboots of an emulated arm64 server; creates its disk.
.PHONY: test-host
test-host:
	@scripts/deps build arm64 hosts
	@tests/run host-arm64

# The module on debug kernels and on a newer one; builds three more kernels.
.PHONY: test-debug
test-debug:
	@scripts/deps
	@PARTS="7.3 debug kcsan" tests/kmod/kmod.sh

UNIT_SRC	:= $(wildcard tests/unit/test_*.c)
UNIT_BIN	:= $(UNIT_SRC:tests/unit/%.c=$(BUILD)/tests/%)

.PHONY: unit-binaries
unit-binaries: $(UNIT_BIN)

# All of ptelab except main(), and the plugin without its glue to QEMU, as an
# archive, so that a test links only what it calls. Benchmarks are not called by
# name, so tests that need the list of them link the whole archive.
NEEDS_BENCHES	:= $(addprefix $(BUILD)/tests/,test_notifier_table test_notifier_vm test_point test_sweep)
$(NEEDS_BENCHES): WHOLE := -Wl,--whole-archive
$(BUILD)/tests/ptelab.a: $(LIBOBJ) $(BUILD)/emu/walk.o $(BUILD)/emu/seen.o
	@mkdir -p $(@D)
	@rm -f $@
	@ar rcsT $@ $^

$(BUILD)/tests/%: tests/unit/%.c $(BUILD)/tests/ptelab.a
	@mkdir -p $(@D)
	@echo "  TEST    $@"
	@$(CC_USED) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(filter-out -static,$(LINK)) \
		-MMD -MP -o $@ $< $(WHOLE) $(BUILD)/tests/ptelab.a -Wl,--no-whole-archive \
		-lcmocka $(LDLIBS_STATIC)

-include $(UNIT_BIN:=.d)

# Runs a command on a machine that lacks something
$(BUILD)/tests/without: tests/without.c
	@mkdir -p $(@D)
	@echo "  TEST    $@"
	@$(CC_USED) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LINK) -o $@ $<

# --- readers of foreign input, with libFuzzer ---

SECONDS		?= 60
# What reads, instrumented; the rest of ptelab is linked as it is.
FUZZ_SRC	:= tests/fuzz/fuzz.c analysis/code/insns.c analysis/code/patch.c cli/sweep.c \
		   bench/harness/point.c $(wildcard analysis/load/*.c) \
		   $(addprefix lib/,util.c record.c batches.c metric.c selector.c stat.c)

.PHONY: fuzz
fuzz: build/fuzz/fuzz $(BUILD)/ptelab
	@tests/fuzz/run $< $(SECONDS) $(TARGETS)
build/fuzz/fuzz: $(FUZZ_SRC) $(filter-out $(FUZZ_SRC:%.c=$(BUILD)/%.o),$(LIBOBJ))
	@command -v clang >/dev/null || { echo 'fuzz: needs clang; apt-get install clang' >&2; exit 2; }
	@mkdir -p $(@D)
	@clang -std=gnu11 $(CPPFLAGS_ALL) -g -O2 -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined \
		-Wl,--wrap=read_file,--wrap=gzopen,--wrap=gzbuffer,--wrap=gzread,--wrap=gzclose -o $@ $^ $(LDLIBS_STATIC)

# --- how far statistics can be trusted, and how fast they are ---

.PHONY: calibrate bench-compare bench-litmus bench-cold bench-warm
calibrate: $(BUILD)/tests/calibrate $(BUILD)/tests/levels $(BUILD)/ptelab
	@tests/calibrate/run
bench-compare: $(BUILD)/tests/make-batches $(BUILD)/ptelab
	@tests/calibrate/bench
bench-litmus: $(BUILD)/ptelab
	@tests/calibrate/litmus
bench-cold:
	@scripts/bench/cold $(BASE)
bench-warm:
	@BASE=$(BASE) ROUNDS=$(ROUNDS) scripts/bench/warm

$(BUILD)/tests/calibrate $(BUILD)/tests/levels: $(BUILD)/tests/%: tests/calibrate/%.c \
		tests/calibrate/rivals.h tests/analysis/made_side.h $(LIBOBJ)
	@mkdir -p $(@D)
	@$(CC_USED) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(filter-out -static,$(LINK)) \
		-o $@ $< $(LIBOBJ) $(LDLIBS_STATIC)
$(BUILD)/tests/make-batches: tests/analysis/make-batches.c
	@mkdir -p $(@D)
	@$(CC_USED) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -o $@ $< -lmd -lm

# Programs that run in a machine with the module
KMOD_TEST_OBJ	:= $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/kmod/*.c)) \
		   $(BUILD)/lib/kmod.o $(BUILD)/lib/util.o

$(BUILD)/tests/kmod/test_kmod: $(KMOD_TEST_OBJ)
	@echo "  TEST    $@"
	@$(CC_USED) $(CFLAGS_ALL) $(LINK) -o $@ $^ -lmd -lpthread

-include $(KMOD_TEST_OBJ:.o=.d)

# Programs for the emulated machine. Build them first, or tests that run in parallel
# would each build them.
.PHONY: guest-programs
guest-programs: $(BUILD)/ptelab $(BUILD)/tests/kmod/test_kmod \
		$(addprefix $(BUILD)/tests/bpf/,trigger three_way bench_trace)

# --- installation ---

COMPLETION_BASH	:= $(PREFIX)/share/bash-completion/completions/ptelab
COMPLETION_ZSH	:= $(PREFIX)/share/zsh/site-functions/_ptelab
COMPLETION_FISH	:= $(PREFIX)/share/fish/vendor_completions.d/ptelab.fish
MAN		:= $(PREFIX)/share/man

.PHONY: install uninstall
install: all
	install -D -m 755 $(BUILD)/ptelab $(DESTDIR)$(PREFIX)/bin/ptelab
	install -D -m 644 -t $(DESTDIR)$(MAN)/man1 docs/man/*.1
	install -D -m 644 -t $(DESTDIR)$(MAN)/man7 docs/man/*.7
	install -D -m 644 cli/ptelab.bash $(DESTDIR)$(COMPLETION_BASH)
	install -D -m 644 cli/ptelab.zsh $(DESTDIR)$(COMPLETION_ZSH)
	install -D -m 644 cli/ptelab.fish $(DESTDIR)$(COMPLETION_FISH)
	install -D -m 755 scripts/sweep $(DESTDIR)$(PREFIX)/bin/ptelab-sweep
	install -D -m 755 scripts/sweep-host $(DESTDIR)$(PREFIX)/share/ptelab/sweep-host
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/ptelab/sweeps scripts/sweeps/*.cfg

# Removes what install put there, with the same DESTDIR and PREFIX; keeps folders that
# other programs may use.
uninstall:
	rm -f $(addprefix $(DESTDIR),$(PREFIX)/bin/ptelab $(PREFIX)/bin/ptelab-sweep \
		$(COMPLETION_BASH) $(COMPLETION_ZSH) $(COMPLETION_FISH) \
		$(patsubst docs/man/%,$(MAN)/man1/%,$(wildcard docs/man/*.1)) \
		$(patsubst docs/man/%,$(MAN)/man7/%,$(wildcard docs/man/*.7)))
	rm -rf $(DESTDIR)$(PREFIX)/share/ptelab

# --- for editors ---

TAGGED	= $(shell git ls-files '*.[chS]')
.PHONY: tags compile_commands.json
tags:
	@command -v ctags >/dev/null || { \
		echo "make tags needs ctags: apt-get install universal-ctags" >&2; exit 2; }
	@ctags -o $@ $(TAGGED)
# How each file is compiled, for clangd. The module's files belong to kbuild.
compile_commands.json:
	@$(MAKE) --no-print-directory -Bn all unit-binaries $(BUILD)/tests/kmod/test_kmod | \
		awk -v DIR="$(CURDIR)" -f scripts/compile-commands > $@.tmp
	@mv $@.tmp $@

# --- packages ---

VERSION		:= $(shell sed -n 's/.*PTELAB_VERSION.*"\(.*\)"/\1/p' lib/version.h)
DIST		:= build/dist/ptelab-$(VERSION).tar.xz

.PHONY: dist deb
# Packs only committed files
dist:
	@git rev-parse --verify -q HEAD >/dev/null || { \
		echo "make dist packs committed files, but this is not a git tree" >&2; exit 2; }
	@mkdir -p build/dist
	@git archive --prefix=ptelab-$(VERSION)/ HEAD | xz -T0 > $(DIST).tmp
	@mv $(DIST).tmp $(DIST)
	@echo $(DIST)

# Debian packages of what is committed, for both machines, into build/deb/
deb: dist
	@scripts/deps build arm64 package
	@scripts/deb $(DIST) $(ARCHES)

.PHONY: help
help:
	@sed -n '5,9p' Makefile | sed 's/^#//'
	@echo '	make ab SERIES=name	compare with scripts/lab/series/name'
	@echo '	make ab RELEASES="6.12 newest"	compare two of Debian'"'"'s own kernels; builds none'
	@echo '	make ab PATCHES="a.patch b.patch" NAME=x	compare with your patches; writes runs/x/'
	@echo '	make ab MBOX=thread.mbox	compare with the series in a thread; EACH=1: patch by patch'
	@echo '	make ab TREE=~/linux BASE=v6.12 NEW=my-branch	compare two states of your tree'
	@echo '	make ab IMAGE_BASE=a IMAGE_NEW=b	compare two Images'
	@echo '	make ab KERNEL=7.3	use another of Debian'"'"'s kernels; KERNEL=newest'
	@echo '	make ab CONFIG=file|defconfig	use another base configuration'
	@echo '	make ab COUNT=lines	also count the cache lines that instructions touch'
	@echo '	make bisect TREE=~/linux GOOD=v6.12 BAD=my-branch ROW=worst	find the commit that changes a row'
	@echo '	make trend KERNELS="6.1 6.12 newest"	follow rows over many kernels; builds none'
	@echo '	make trend TREE=~/linux RANGE=v6.12..v6.13 EVERY=20	the same over commits'
	@echo '	make site-example	pages of the trend in runs/example-trend, in build/site'
	@echo '	make three		compare three ways of notifying on an upgrade'
	@echo '	make reproduce HASH=x [FROM=dir [TRUST=1]] [SOURCE=x]	repeat a result, report if it is identical'
	@echo '	make examples		repeat the results in runs/example-*'
	@echo '	make deps		install the packages that ab and test need'
	@echo '	make clang|asan|tsan	other builds, in build/NAME'
	@echo '	make uninstall		remove what make install put, with the same PREFIX'
	@echo '	make deb [ARCHES="amd64 arm64"]	Debian packages; make dist: the source tarball'
	@echo '	make litmus		the litmus tests as instructions, for herd7 and litmus7'
	@echo '	make tags		for vi; make compile_commands.json: for clangd'
	@echo '	make check		before each commit: unit tests, shellcheck, checkpatch'
	@echo '	make each-commit BASE=x	build and check every commit of x..HEAD'
	@echo '	make test BUDGET=75	test within 75 minutes; skips by name what does not fit'
	@echo '	make test-unit|test-lab|test-quick	parts of make test; see tests/run --help'
	@echo '	make test-host		sweeps over reboots of an emulated arm64 server'
	@echo '	make test-debug		the module on debug kernels, which it builds'
	@echo '	make fuzz SECONDS=60 [TARGETS=boot]	readers of foreign input, with libFuzzer'
	@echo '	make calibrate		false alarms and power of compare and of other tools'
	@echo '	make bench-compare	time compare and ministat on a million values'
	@echo '	make bench-trace	cost of counting an event, in instructions'
	@echo '	make bench-cold [BASE=commit]	cost of a first make ab'
	@echo '	make bench-warm [BASE=commit]	cost of make ab with cached kernels'
	@echo '	make bench-litmus	outcomes per second, and those of litmus7, which it fetches'

.PHONY: clean
clean:
	rm -rf build
