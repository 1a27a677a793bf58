#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# boot.sh: the emulated machine: same seed, same run; and how it fails.
# run: needs base
set -u
# shellcheck source=../lib.sh disable=SC2016
. "$(dirname "$0")/../lib.sh"

lab=$top/scripts/lab
need_deps lab-boot lab arm64
need_kernel
image=$kernel/Image
prog=$tmp/prog
aarch64-linux-gnu-gcc -O2 -static -o "$prog" "$top/tests/lab/guest-prog.c" || exit 1

# boot NAME JOB [options]: results in $tmp/NAME.jsonl
boot()
{
	local name=$1 job=$2

	shift 2
	printf '%s\n' "$job" > "$tmp/job"
	"$lab/boot" --image "$image" --ptelab "$prog" --job "$tmp/job" \
		--out "$tmp/$name.jsonl" "$@"
}

count='ptelab count @SEED@'
boot a "$count" --seed 7 > "$tmp/a.end" 2>&1
boot b "$count" --seed 7 > /dev/null 2>&1
boot c "$count" --seed 8 > /dev/null 2>&1
check same-seed-same-results cmp "$tmp/a.jsonl" "$tmp/b.jsonl"
check same-seed-same-console cmp "$tmp/a.console" "$tmp/b.console"
equal six-lines "$(wc -l < "$tmp/a.jsonl")" 6
equal every-repetition-counts-the-same \
	"$(sed 1d "$tmp/a.jsonl" | cut -d, -f2- | sort -u | wc -l)" 1
check instructions-are-counted grep -qE '"user":1[0-9]{4},"kernel":[1-9][0-9]{5}' "$tmp/a.jsonl"
check seed-reaches-the-job grep -q '"seed":8' "$tmp/c.jsonl"
if [ "$(grep -o '"stack.*' "$tmp/a.jsonl")" != "$(grep -o '"stack.*' "$tmp/c.jsonl")" ]; then
	ok other-seed-other-addresses
else
	not_ok other-seed-other-addresses "$(head -n 1 "$tmp/c.jsonl")"
fi
check first-line-time-is-reported grep -qE 'first_ms=[1-9][0-9]*' "$tmp/a.end"

# A boot that was done before comes from the cache, the same to the last byte; one that
# could differ, or of which the cache lost a part, is done.
export PTELAB_CACHE=$tmp/cache
mkdir -p "$PTELAB_CACHE/boots"
reused()
{
	boot "$@" --reuse 2>&1 | grep -c ' reused$'
}
equal first-boot-is-done "$(reused r1 "$count" --seed 7)" 0
equal same-boot-is-reused "$(reused r2 "$count" --seed 7)" 1
for f in jsonl console; do
	check "reused-$f-is-the-same" cmp "$tmp/a.$f" "$tmp/r2.$f"
done
# Boots of make ab leave their results below the tree.
boot r2 "$count" --seed 7 --reuse --out "$top/build/test-boot-$$.jsonl" > "$tmp/r2.end" 2>&1
check same-boot-elsewhere-is-reused grep -q ' reused$' "$tmp/r2.end"
rm -f "$top/build/test-boot-$$".*
equal other-seed-is-done "$(reused r3 "$count" --seed 8)" 0
equal other-job-is-done "$(reused r3 "$count " --seed 7)" 0
equal other-parameter-is-done "$(reused r3 "$count" --seed 7 --cmdline x=1)" 0
printf '\n' >> "$prog"
equal other-program-is-done "$(reused r3 "$count" --seed 7)" 0
rm "$PTELAB_CACHE"/boots/*/jsonl
equal damaged-cache-is-done "$(reused r4 "$count" --seed 7)" 0
check damaged-cache-loses-nothing cmp <(grep -v stack "$tmp/a.jsonl") <(grep -v stack "$tmp/r4.jsonl")
rm -r "$PTELAB_CACHE/boots"
: > "$PTELAB_CACHE/boots"
equal no-cache-is-done "$(reused r5 'ptelab run')" 0
equal no-cache-loses-nothing "$(cat "$tmp/r5.jsonl")" '{"said":"run"}'
refuses race-is-never-reused 'two race boots are never the same' boot race 'ptelab run' --mode race --reuse
unset PTELAB_CACHE

boot race 'ptelab run' --mode race > /dev/null 2>&1
equal race-boot "$(cat "$tmp/race.jsonl")" '{"said":"run"}'
check race-boot-has-two-cpus grep -q '2 CPUs' "$tmp/race.console"

boot many 'ptelab lines 20000' > /dev/null 2>&1
# shellcheck disable=SC2016
check no-line-lost awk 'index($0, "{\"line\":" NR - 1 ",") != 1 || !/}$/ { exit 1 }
	END { exit NR != 20000 }' "$tmp/many.jsonl"

boot fail "$(printf 'ptelab run\nptelab fail\nptelab run')" > "$tmp/fail.out" 2> "$tmp/fail.err"
equal failing-command-exit-status $? 1
check failing-command-message grep -q 'job line 2 .*exited 2: ptelab: no luck' "$tmp/fail.err"
equal failing-command-runs-the-rest "$(grep -c '"run"' "$tmp/fail.jsonl")" 2
boot none 'nosuch command' > /dev/null 2> "$tmp/none.err"
check missing-command grep -q 'exited 127' "$tmp/none.err"
refuses panic 'panicked: Kernel panic - not syncing: sysrq triggered crash .*panic.console' \
	boot panic "$(printf 'ptelab run\nptelab panic')"
equal panic-keeps-whole-lines "$(tr '\n' ' ' < "$tmp/panic.jsonl")" '{"said":"run"} {"before":1} '
refuses no-boot 'panicked.*VFS|panicked.*No working init' \
	boot noboot 'ptelab run' --cmdline rdinit=/nosuch
# As long as this machine takes to get to the job's first line.
for timeout in 3 15 75 375; do
	boot hang 'ptelab hang' --timeout $timeout > "$tmp/hang.out" 2> "$tmp/hang.err"
	status=$?
	[ ! -s "$tmp/hang.jsonl" ] || break
done
equal hang-exit-status "$status" 2
check hang-message grep -q "no end after $timeout s" "$tmp/hang.err"
equal hang-keeps-whole-lines "$(cat "$tmp/hang.jsonl")" '{"before":1}'

# An interrupt ends the emulator and keeps what was finished.
boot stop 'ptelab hang' > /dev/null 2> "$tmp/stop.err" &
pid=$!
for ((i = 0; i < 6000; i++)); do
	[ ! -s "$tmp/stop.jsonl" ] && kill -0 "$pid" 2> /dev/null || break
	sleep 0.1
done
pkill -TERM -P "$pid" 2> /dev/null
wait "$pid"
equal interrupt-exit-status $? 2
equal interrupt-keeps-whole-lines "$(cat "$tmp/stop.jsonl")" '{"before":1}'
if pgrep -f "qemu-system-aarch64.*$tmp/stop.console" > /dev/null; then
	not_ok interrupt-ends-the-emulator "it still runs"
else
	ok interrupt-ends-the-emulator
fi

refuses not-an-image 'no arm64 kernel Image' "$lab/boot" --image "$prog" --ptelab "$prog" \
	--job "$tmp/job" --out "$tmp/x.jsonl"
refuses not-arm64 'no arm64 program' "$lab/boot" --image "$image" --ptelab /bin/true \
	--job "$tmp/job" --out "$tmp/x.jsonl"
refuses no-job 'no file /nosuch' "$lab/boot" --image "$image" --ptelab "$prog" \
	--job /nosuch --out "$tmp/x.jsonl"
