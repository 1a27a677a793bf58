#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# tests/run itself, in a tree whose tests and kernels do nothing but take time:
# what it counts, the order, the budget, and what an interrupt leaves.
set -u
. "$(dirname "$0")/../lib.sh"

tree=$tmp/tree
mkdir -p "$tree"/{scripts/lab/series/{null,other},tests/{unit,host,analysis,style,lab,bpf,kmod}}
cp "$top/tests/run" "$tree/tests/run"
cp "$top/tests/lib.sh" "$tree/tests/lib.sh"
export PTELAB_CACHE=$tmp/cache
mkdir -p "$PTELAB_CACHE"
cd "$tree" || exit 1
unset BUDGET JOBS

# How fast this machine is does not matter here.
mkdir "$tmp/bin"
printf '#!/bin/sh\n' > "$tmp/bin/cc"
chmod +x "$tmp/bin/cc"
PATH=$tmp/bin:$PATH

# fake FILE COMMANDS: a script that says where in the order it ran
fake()
{
	printf '#!/bin/bash\n%s\n' "$2" > "$1"
	chmod +x "$1"
}

printf 'all unit-binaries guest-programs:\n\t@echo "  CC      x.c"\n' > Makefile
fake scripts/lab/kernel "echo \"begins \$*\" >> $tmp/kernels
echo \"3 files of 7\" >&2; echo /nowhere"
mkdir -p build/native/tests
fake build/native/tests/without 'shift 2; exec "$@"'
fake tests/unit/concerned 'echo ok concerned'
fake tests/host/one.sh 'echo ok one; echo skip two: no two; echo note three: of no matter'
fake tests/host/here-a.sh "# run: here
mkdir $tmp/taken || echo not ok alone; sleep 0.5; rmdir $tmp/taken; echo ok a"
fake tests/host/here-b.sh "# run: here
mkdir $tmp/taken || echo not ok alone; sleep 0.5; rmdir $tmp/taken; echo ok b"
fake tests/lab/must.sh '# run: part null must null
# run: part other other
echo "ok $1"'
fake tests/lab/base.sh '# run: needs base
echo ok base'
echo 'not executable' > tests/lab/part-of-others.sh

# lines FILE: its last line, which says how it ended
last()
{
	tail -n 1 "$1"
}

tests/run > "$tmp/out" 2>&1
equal status-of-success $? 0
equal counts "$(last "$tmp/out")" "20 passed, 0 failed, 1 skipped"
equal kernels-in-turn "$(sort "$tmp/kernels" | paste -sd,)" \
	"begins ,begins --series null,begins --series other"
check skips-are-shown grep -q 'tests/host/one.sh: skip two: no two' "$tmp/out"
check slowest-first grep -q '^Slowest first' "$tmp/out"
check costs-from-the-log tests/run --costs
equal costs-has-all "$(awk '/^[bkt]/ { n[$1]++ } END { print n["build"], n["kernel"], n["test"] }' tests/costs)" "4 3 16"
check costs-has-a-speed grep -qE '^speed [1-9][0-9]*$' tests/costs
check costs-has-needs grep -q '^test tests/lab/must.sh:null .* null' tests/costs

# A part, a file, and what there is not
tests/run tests/lab/must.sh:other > "$tmp/out" 2>&1
equal one-part "$(last "$tmp/out")" "3 passed, 0 failed, 0 skipped"
refuses no-such-kind 'no such kind of test: nonesuch' tests/run nonesuch
refuses no-such-test 'no test tests/lab/nonesuch.sh' tests/run tests/lab/nonesuch.sh
refuses bad-budget 'BUDGET=x is no number' env BUDGET=x tests/run

# A budget of minutes where each kernel takes an hour
sed -i 's/^kernel \([^ ]*\) [0-9]*/kernel \1 3600000/' tests/costs
rm "$tmp/kernels"
BUDGET=20 tests/run > "$tmp/out" 2>&1
equal budget-status $? 0
equal budget-skips-what-need-not-be "$(last "$tmp/out")" "18 passed, 0 failed, 3 skipped"
check budget-says-why grep -Eq 'tests/lab/must.sh:other: skip needs about [0-9.]+ min of CPU .*other.* of the budget of 20 min' "$tmp/out"
equal budget-builds-what-must-be "$(sort "$tmp/kernels" | paste -sd,)" "begins ,begins --series null"

# What fails, in cmocka's words too
fake tests/host/one.sh 'echo ok one; echo "ok 1 - two"; echo "not ok 2 # SKIP three"
echo "ok 3 - four # SKIP"; echo "not ok 4 - five"'
fake tests/host/silent.sh 'exit 3'
tests/run tests/host/one.sh tests/host/silent.sh > "$tmp/out" 2>&1
equal failure-status $? 1
equal failures-and-skips-of-cmocka "$(last "$tmp/out")" "3 passed, 2 failed, 2 skipped"
check failures-are-named grep -qx 'not ok tests/host/one.sh: five' "$tmp/out"
check failure-without-a-word grep -q 'tests/host/silent.sh: not ok ended with status 3' "$tmp/out"
rm tests/host/silent.sh
fake tests/host/one.sh 'echo ok one'

# A kernel that does not build: said once by each test that needs it
fake scripts/lab/kernel 'echo "kernel: x.c:1: error" >&2; exit 2'
tests/run tests/lab/base.sh > "$tmp/out" 2>&1
equal broken-kernel "$(grep '^not ok' "$tmp/out" | tail -n 1)" "not ok tests/lab/base.sh: base does not build: kernel: x.c:1: error"

# An interrupt, sent to the whole process group as a terminal does: bash drops
# one that it alone gets while a foreground child runs. Nothing that was started
# goes on, wherever it is.
fake scripts/lab/kernel 'exec sleep 300'
fake tests/host/one.sh "setsid sleep 3${RANDOM}1 & echo \$! > $tmp/pid; wait"
mkdir "$tmp/t"
TMPDIR=$tmp/t setsid env --default-signal=INT tests/run tests/host/one.sh tests/lab/base.sh > "$tmp/out" 2>&1 &
pid=$!
for ((i = 0; i < 600; i++)); do
	[ ! -s "$tmp/pid" ] || break
	sleep 0.1
done
kill -INT -- "-$pid"
wait "$pid"
equal interrupt-status $? 130
check interrupt-ends-all sh -c "! kill -0 $(cat "$tmp/pid")"
equal interrupt-leaves-no-files "$(ls "$tmp/t")" ''
