#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# pmu.sh: counters read by the program itself and by system calls: the same
# counts, less what each adds.
# run: needs base
set -u
# shellcheck source=../lib.sh disable=SC2016
. "$(dirname "$0")/../lib.sh"

lab=$top/scripts/lab
need_deps lab-pmu lab arm64
need_kernel

# boot NAME MODE LINE...: results in $tmp/NAME.jsonl
boot()
{
	local name=$1 mode=$2

	shift 2
	printf '%s\n' "$@" > "$tmp/job"
	"$lab/boot" --image "$kernel/Image" --ptelab "$top/build/arm64/ptelab" \
		--job "$tmp/job" --out "$tmp/$name.jsonl" --mode "$mode" \
		> "$tmp/$name.end" 2>&1
}

run='ptelab run -o - --batches 3 --warmup 1 --counted 0'
line="$run -b gup.pin_fast:folio=4k,64k -b notifier.upgrade:folio=4k:secondary=none,kvm"
boot user exact "$line"
boot kernel exact '# cmdline: sysctl.kernel.perf_user_access=0' "$line"

# least NAME I METRIC: of the batches of point I; 0 is the empty one
least()
{
	jq -s --argjson i "$2" --arg m "$3" \
		'[.[] | select(.type == "point")][$i].batches[$m] | min' "$tmp/$1.jsonl"
}

equal "the setting is in the record" \
	"$(jq -r 'select(.type == "header") | .environment.perf_user_access' "$tmp/user.jsonl" "$tmp/kernel.jsonl" | tr '\n' ' ')" "1 0 "
equal "reading counters in user mode costs no instruction of the kernel" \
	"$(least user 0 instructions_kernel)" 0
check "and few of user mode" test "$(least user 0 instructions_user)" -lt 100
check "system calls cost some in both" \
	test "$(least kernel 0 instructions_kernel)" -gt 300 -a "$(least kernel 0 instructions_user)" -gt 10
# Where no mapping is looked up it is the same to the last digit. Elsewhere the
# pages through which counters are read are mappings, too: one more in the way,
# or another place in its node of the tree, takes up to 16 instructions a lookup.
for i in 1 2 3 4; do
	for mode in user kernel; do
		m=instructions_$mode
		a=$(($(least user $i $m) - $(least user 0 $m)))
		b=$(($(least kernel $i $m) - $(least kernel 0 $m)))
		ops=$(jq -s "[.[] | select(.type == \"point\")][$i].operations" "$tmp/user.jsonl")
		case $i in
		1|2) most=0 ;;
		*) most=$((32 * ops)) ;;
		esac
		check "point $i: the same $m, less the harness: $a and $b for $ops operations" \
			test "$a" -gt 100 -a $((a - b)) -le $most -a $((b - a)) -le $most
	done
done
