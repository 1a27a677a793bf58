#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# ab.sh: the whole way from two kernels to a comparison, and what a run that
# fails leaves of an earlier one.
# run: needs base
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

ab=$top/scripts/ab
need_deps lab-ab build lab arm64 plot
need_kernel
unset_make_vars
name=test-$$
run=$top/runs/$name
trap 'rm -rf "$tmp" "$run" "$run.new"' EXIT
image=$kernel/Image
echo "ptelab run -o - --seed @SEED@ -b gup.futex -b gup.pin_fast -b fault.anon_write -b fault.cow -p folio=4k,64k" > "$tmp/job"
echo "ptelab nosuch-command" > "$tmp/bad-job"
# A benchmark that takes longer than the test waits.
echo "ptelab run -o - -b gup.futex --batches 1000000" > "$tmp/long-job"

refuses unknown-argument "unknown argument 'FOO=1'" "$ab" FOO=1
refuses series-and-patches 'not SERIES and PATCHES' "$ab" SERIES=null PATCHES="$0"
refuses patches-without-name 'PATCHES needs NAME' "$ab" PATCHES="$0"
refuses tree-without-base 'not TREE without BASE' "$ab" TREE="$tmp"
refuses tree-without-new 'not TREE without NEW' "$ab" TREE="$tmp" BASE=x
refuses one-image 'not only one image' "$ab" IMAGE_BASE="$image"
refuses missing-image 'no file /nosuch' "$ab" IMAGE_BASE="$image" IMAGE_NEW=/nosuch
refuses bad-seed "SEEDS: 'x' is not a number" "$ab" SEEDS="1 x"
refuses bad-name 'no name for a folder' "$ab" NAME=../x
refuses bad-count "COUNT 'x' is none of" "$ab" COUNT=x
refuses missing-job "no job 'nosuch'" "$ab" JOB=nosuch
refuses missing-series "no series 'nosuch'" "$ab" SERIES=nosuch JOB="$tmp/job" NAME="$name"

# The same kernel twice: nothing may differ.
if "$ab" NAME="$name" IMAGE_BASE="$image" IMAGE_NEW="$image" SEEDS="1 2" \
		JOB="$tmp/job" FRESH=1 > "$tmp/out" 2> "$tmp/err"; then
	ok same-kernel-twice
else
	not_ok same-kernel-twice "$(tail -n 1 "$tmp/err")"
fi
equal quiet-in-a-pipe "$(cat "$tmp/err")" ''
for f in base/boot-00{1,2}.jsonl patched/boot-00{1,2}.jsonl compare.json table.txt report.html manifest.json; do
	check "leaves-$f" test -s "$run/$f"
done
for n in 1 2; do
	check "same-kernel-same-seed-$n" cmp "$run/base/boot-00$n.jsonl" "$run/patched/boot-00$n.jsonl"
done
check draws-pictures test -n "$(find "$run/plots" -type f -print -quit)"
check prints-the-table grep -qF -- "$(grep -m1 . "$run/table.txt" || echo no table)" "$tmp/out"
check tells-the-time grep -qE '^took .* s: kernels given, 4 boots in .* s, ' "$tmp/out"
check nothing-unfinished test ! -e "$run.new"

# The same again, from a copy in which one point was changed: that one is told.
hash=$(sed -n 's/.*make reproduce HASH=\([0-9a-f]*\).*/\1/p' "$run/table.txt")
cp -r "$run" "$tmp/sent"
sed -i '/"bench":"fault.anon_write".*"4k"/s/"total":/"total":1/' "$tmp/sent/patched/boot-002.jsonl"
status=0
refuses reproduce-trusts-nobody "has IMAGE_BASE='.*', which would run on this machine; look at it, then give --trust" \
	"$top/scripts/reproduce" "$hash" "$tmp/sent"
"$top/scripts/reproduce" --trust "$hash" "$tmp/sent" > "$tmp/again" 2> "$tmp/err" || status=$?
points=$(cat "$run"/*/boot-00?.jsonl | grep -c '"type":"point"')
equal reproduce-tells-a-difference "$status $(tail -n 1 "$tmp/again")" "1 not identical: 1 of $points points in 4 exact boots"
check reproduce-names-it grep -q '^differs: patched/boot-002.jsonl: "bench":"fault.anon_write"' "$tmp/again"
rm -rf "$top/runs/reproduce-$hash"
refuses reproduce-unknown-hash 'no result in runs/ has the hash' "$top/scripts/reproduce" 0123456789abcdef
refuses reproduce-no-hash 'which HASH' "$top/scripts/reproduce"
# shellcheck disable=SC2016
sed -i 's/^"settings": .*/"settings": "JOB=$(touch x)",/' "$tmp/sent/manifest.json"
refuses reproduce-hostile-settings 'its settings are not those of make ab' "$top/scripts/reproduce" "$hash" "$tmp/sent"

# A run that fails: the older one stays as it was.
echo keep > "$run/marker"
refuses failing-job 'job line 1 .*nosuch-command.* exited' "$ab" NAME="$name" \
	IMAGE_BASE="$image" IMAGE_NEW="$image" SEEDS=1 JOB="$tmp/bad-job"
check failure-keeps-the-older-run test -s "$run/marker"
# Of the two boots the one that failed first, which ends the other
check failure-keeps-its-console test -s "$(sed -n 's/.*(\(.*\.console\))$/\1/p' "$tmp/refuses.err")"

# So does one that is interrupted; and no emulator stays behind.
"$ab" NAME="$name" IMAGE_BASE="$image" IMAGE_NEW="$image" SEEDS=1 \
	JOB="$tmp/long-job" > /dev/null 2> "$tmp/err" &
pid=$!
for ((i = 0; i < 6000; i++)); do
	[ ! -s "$run.new/patched/boot-001.jsonl" ] && kill -0 "$pid" 2> /dev/null || break
	sleep 0.1
done
refuses one-run-of-a-name-at-a-time "another make ab works on runs/$name" "$ab" NAME="$name" \
	IMAGE_BASE="$image" IMAGE_NEW="$image" SEEDS=1 JOB="$tmp/job"
kill -TERM "$pid"
wait "$pid"
equal interrupt-exit-status $? 130
check interrupt-keeps-the-older-run test -s "$run/marker"
if pgrep -f "qemu-system-aarch64.*$run.new" > /dev/null; then
	not_ok interrupt-ends-the-emulators "one still runs"
else
	ok interrupt-ends-the-emulators
fi

check next-run "$ab" NAME="$name" IMAGE_BASE="$image" IMAGE_NEW="$image" SEEDS=1 JOB="$tmp/job"
check next-run-replaces-the-older test ! -e "$run/marker"
check next-run-again "$ab" NAME="$name" IMAGE_BASE="$image" IMAGE_NEW="$image" SEEDS=1 JOB="$tmp/job"
tr -s ' \n' ' ' < "$tmp/check.out" > "$tmp/last"
check reused-boots-are-counted grep -q '2 boots in .* (2 of them from the cache; FRESH=1 does all)' "$tmp/last"
