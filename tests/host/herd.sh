#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The litmus tests before herd7: the verdicts in lib/litmus are its own, and
# the publish pattern, with all of its three words, comes down to the tests that
# barrier.publish names. Needs herd7 (Debian package herdtools7), for the kernel's
# model also its folder tools/memory-model: LKMM, or the source of the running
# kernel, or one that scripts/lab keeps.
set -uo pipefail
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
cd "$top" || exit 1
litmus=$top/lib/litmus

# Whatever herd7 is or is not: each file can be had as instructions.
for arch in AArch64 X86_64; do
	for f in "$litmus"/*.litmus; do
		awk -v arch=$arch -f "$litmus/asm.awk" "$f" > "$tmp/$arch.${f##*/}" || echo "$f"
	done > "$tmp/failed" 2>&1
	equal "every test as $arch" "$(cat "$tmp/failed")" ''
done
printf 'C X\n\n{}\n\nP0(int *x)\n{\n\tspin_lock(x);\n}\n\nexists (x=1)\n' > "$tmp/X.litmus"
check "what is not known is refused" bash -c "! awk -v arch=AArch64 -f '$litmus/asm.awk' '$tmp/X.litmus'"
for f in "$litmus"/*.litmus; do
	for model in Result AArch64 X86_64; do
		grep -qE "^ \* $model: (Never|Sometimes)$" "$f" || echo "$f: $model"
	done
done > "$tmp/without"
equal "every test has three verdicts" "$(cat "$tmp/without")" ''

if ! command -v herd7 > /dev/null; then
	skip "verdicts" "herd7 is not installed (herdtools7, in Debian sid)"
	exit 0
fi
for lkmm in "${LKMM:-}" "/lib/modules/$(uname -r)/source/tools/memory-model" \
		"${PTELAB_CACHE:-$HOME/.cache/ptelab}"/trees/*/tools/memory-model; do
	[ -f "$lkmm/linux-kernel.cfg" ] && break
	lkmm=''
done

# verdict MODEL FILE: what herd7 observes
verdict()
{
	if [ "$1" = Result ]; then
		(cd "$lkmm" && herd7 -conf linux-kernel.cfg "$2")
	else
		awk -v arch="$1" -f "$litmus/asm.awk" "$2" > "$tmp/asm.litmus" &&
			herd7 "$tmp/asm.litmus"
	fi 2>&1 | awk '/^Observation/ { print $3; found = 1 } END { if (!found) print "nothing" }'
}

recorded()
{
	sed -n "s/^ \* $1: //p" "$2"
}

# agree MODEL: all files
agree()
{
	local f got

	for f in "$litmus"/*.litmus; do
		got=$(verdict "$1" "$f")
		[ "$got" = "$(recorded "$1" "$f")" ] ||
			echo "${f##*/}: herd7 says $got, the file $(recorded "$1" "$f")"
	done
}

# publish_test WRITER READER WATCH: the pattern as a litmus test
publish_test()
{
	local i='WRITE_ONCE(*i, 1);' u='WRITE_ONCE(*u, 1);'

	case $1 in
	release) i='smp_store_release(i, 1);' ;;
	releases) i='smp_store_release(i, 1);' u='smp_store_release(u, 1);' ;;
	wmb) i="smp_wmb();"$'\n\t'"$i" ;;
	mb) u="smp_mb();"$'\n\t'"$u" ;;
	esac
	printf 'C publish\n\n{}\n\nP0(int *x, int *i, int *u)\n{\n\tWRITE_ONCE(*x, 1);\n\t%s\n\t%s\n}\n\n' "$i" "$u"
	printf 'P1(int *x, int *i, int *u)\n{\n\tint r0;\n\tint r1;\n\n'
	if [ "$2" = acquire ]; then
		printf '\tr0 = smp_load_acquire(%s);\n' "$3"
	else
		printf '\tr0 = READ_ONCE(*%s);\n' "$3"
	fi
	case $2 in
	ctrl) printf '\tif (r0)\n\t' ;;
	rmb) printf '\tsmp_rmb();\n' ;;
	full) printf '\tsmp_mb();\n' ;;
	esac
	printf '\tr1 = READ_ONCE(*x);\n}\n\nexists (1:r0=1 /\\ 1:r1=0)\n'
}

# Each pair, and the test that the program says it comes down to.
pairs()
{
	"$top/build/native/ptelab" run -q --counter none --counted 0 --batches 1 --warmup 0 \
		-n 100 -b barrier.publish:writer=each:reader=each:watch=each -o - 2> /dev/null |
		jq -r 'select(.bench == "barrier.publish" and .status == "ok") |
			"\(.params.writer) \(.params.reader) \(.params.watch) \(.proof.litmus)"'
}

publish_agrees()
{
	local writer reader watch test got word

	while read -r writer reader watch test; do
		word=u
		[ "$watch" = flag ] || word=i
		publish_test "$writer" "$reader" "$word" > "$tmp/publish.litmus"
		got=$(verdict "$1" "$tmp/publish.litmus")
		[ "$got" = "$(recorded "$1" "$litmus/$test.litmus")" ] ||
			echo "$writer $reader $watch: $got, but $test is $(recorded "$1" "$litmus/$test.litmus")"
	done < "$tmp/pairs"
}

pairs > "$tmp/pairs"
models='AArch64 X86_64'
if [ -n "$lkmm" ]; then
	models="Result $models"
else
	skip "verdicts of the LKMM" "no tools/memory-model; say where with LKMM="
fi
for model in $models; do
	equal "verdicts: $model" "$(agree "$model")" ''
	if [ "$(wc -l < "$tmp/pairs")" -eq 50 ]; then
		equal "the publish pattern: $model" "$(publish_agrees "$model")" ''
	else
		skip "the publish pattern: $model" "barrier.publish needs two CPUs and no other run"
	fi
done
