#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# What the discussion about notifying on permission upgrades asks for: calls,
# zaps, refaults and stale entries for each kind of leaf, on three kernels side
# by side; and, in one boot, that who does not listen pays nothing for who did.
# run: part one base
# run: part three notify-upgrade-range notify-upgrade-silent
set -uo pipefail
. "$(dirname "$0")/../lib.sh"
cd "$top" || exit 1
unset_make_vars

name=test-notify.$$
trap 'rm -rf "$tmp" "runs/$name" "runs/$name".* "runs/$name"-*' EXIT

# cells LEAF SECONDARY MEASURE METRIC WANT: silent, unchanged, range
cells()
{
	local backing=anon folio=${1#hugetlb-} got

	[ "$folio" = "$1" ] || backing=hugetlb
	got=$(jq -r --arg b "$backing" --arg f "$folio" --arg s "$2" --arg w "$3" --arg m "$4" '
		def row: first(.results[] | select(.bench == "notifier.upgrade" and
			.metric == $m and .params.backing == $b and
			.params.folio == $f and .params.secondary == $s and
			.params.measure == $w));
		def side: if type == "object" then .median // .min else . end;
		[(.[0] | row.base), (.[0] | row.new), (.[1] | row.new)] |
		map(side | tostring) | join(" ")' "runs/$name/compare.json" 2>&1)
	equal "$1: $4 of silent, unchanged, range" "$got" "$5"
}

# --- three kernels side by side ---

three()
{
	if scripts/three-kernels NAME="$name" SEEDS=1 > "$tmp/three.log" 2> "$tmp/three.err"; then
		ok "three-kernels"
	else
		not_ok "three-kernels" "$(tail -n 1 "$tmp/three.err")"
		return
	fi
	equal "three-kernels: nothing is complained of" \
		"$(grep -v '^kernel: ' "$tmp/three.err")" ""
	equal "three-kernels: 75 columns" "$(awk 'length > 75' "runs/$name/table.txt")" ""
	for leaf in 4k 2m hugetlb-2m; do
		cells $leaf kvm op notifier_secondary "0 1 1"
		cells $leaf kvm op notifier_start "0 0 1"
		cells $leaf kvm op "$([ $leaf = 4k ] && echo kvm_zapped_leaves || echo kvm_zapped_blocks)" "0 0 1"
		cells $leaf kvm guest kvm_refaults "0 0 1"
		cells $leaf module op shadow_stale "1 0 0"
	done
}

chosen=" ${*:-one three} "
[[ $chosen != *' three '* ]] || three
[[ $chosen == *' one '* ]] || exit 0

# --- one boot of the unchanged kernel ---

prog=$tmp/guest-prog
aarch64-linux-gnu-gcc -O2 -static -o "$prog" tests/lab/guest-prog.c || exit 1
kernel=$(scripts/lab/kernel 2> /dev/null)
smmu=0x09050000
cat > "$tmp/job" <<END
# qemu: -machine iommu=smmuv3
# qemu: -device edu
guest-prog peek $((smmu))
guest-prog peek $((smmu + 4))
ptelab doctor --json
ptelab run -q -o - --batches 2 --warmup 1 --counted 1 -b notifier.upgrade -b fault.wp_reuse:via=uffd:folio=4k:backing=anon,shmem
ptelab run -q -o - --batches 2 --warmup 1 --counted 1 -b notifier.upgrade:secondary=kvm,none -b notifier.mprotect:secondary=kvm,none:dir=up,down,roundtrip -p measure=op,guest
ptelab run -q -o - --batches 1 --warmup 1 --counted 1 -b notifier.ksm:secondary=kvm -b notifier.upgrade:backing=hugetlb:folio=64k:secondary=kvm
ptelab run -q -o - --batches 1 --warmup 1 --counted 1 -b notifier.compact:secondary=kvm,none -p measure=op,guest -b notifier.migrate
ptelab run -q -o - --batches 1 --warmup 0 --counted 1 --all-counters -b fault.cow:folio=4k
END
if ! scripts/lab/boot --image "$kernel/Image" --ptelab build/arm64/ptelab \
		--file "$prog:bin/guest-prog" --job "$tmp/job" \
		--out "$tmp/one.jsonl" > "$tmp/one.log" 2>&1; then
	not_ok "one boot" "$(tail -n 1 "$tmp/one.log")"
	exit 1
fi

# The doctor's answer is a list; everything else is an object a line.
jq -c 'select(type == "array")' "$tmp/one.jsonl" > "$tmp/doctor.json"
jq -c 'select(type == "object")' "$tmp/one.jsonl" > "$tmp/lines.jsonl"

# one NAME JQ: a statement about all lines of that boot
one()
{
	if jq -es "$2" "$tmp/lines.jsonl" > /dev/null 2>&1; then
		ok "$1"
	else
		not_ok "$1" "not so: $2"
	fi
}

# shellcheck disable=SC2016
point='def p($b; $s; $w): [.[] | select(.type == "point" and .bench == $b and .params.secondary == $s and .params.measure == $w)];'
one "userfaultfd: a write fault that lifts the protection" \
	'[.[] | select(.bench == "fault.wp_reuse")] | length == 2 and
	all(.status == "ok" and .counters["faults.reused"].per_op == 1)'
# Two pairs a page, but one for each page that up to 256 then share.
one "KSM: the harness is less than 1 % of a batch" \
	'[.[] | select(.bench == "notifier.ksm")] | length == 1 and all(.status == "ok" and .harness.instructions < 0.01 and (.counters.notifier_start.per_op | . > 1.99 and . < 2))'
# A page or two of the VM's own may move as well.
one "compaction: each page that moves is told of and zapped once, and comes back elsewhere" \
	'[.[] | select(.bench == "notifier.compact" and .params.secondary == "kvm")] | length == 2 and all(.status == "ok") and
	(.[0] | .operations > 200 and (.counters["notifier_start.clear"].per_op | . >= 1 and . < 3) and
		(.counters.kvm_zapped_leaves.per_op | . >= 1 and . < 1.1)) and
	(.[1].counters | .kvm_refaults.per_op == 1 and (.kvm_refaults_same_pfn.total // 0) == 0)'
one "compaction: nobody listens, nobody is told" \
	'[.[] | select(.bench == "notifier.compact" and .params.secondary == "none" and .params.measure == "op")] | length == 1 and
	all(.status == "ok" and .counters.notifier_start.total == 0)'
one "one node: what moves pages there is named" \
	'[.[] | select(.bench == "notifier.migrate")] | length > 0 and all(.status == "unavailable") and any(.reason | test("notifier.compact"))'
# A page table maps 32 of them, and fork leaves out whole tables.
one "hugetlb of 64k: an upgrade, or what fork skipped" \
	'[.[] | select(.bench == "notifier.upgrade" and .params.backing == "hugetlb")] | length == 1 and
	all((.status == "ok" and .counters.notifier_secondary.per_op == 1) or
	    (.status == "unavailable" and (.reason | capture("skipped (?<n>[0-9]+) of") | .n | tonumber | . > 0)))'
one "who did not listen hears nothing, though a VM was asked for first" \
	"$point p(\"notifier.mprotect\"; \"none\"; \"op\") | length == 3 and
	all(.status == \"ok\" and .counters.notifier_start.total == 0 and .counters.notifier_end.total == 0)"
# A mapping's place in its tree's node, which address space randomisation moves,
# is 16 instructions a fault; who listens costs more than twice that.
one "what it costs is what it costs without a VM" \
	"$point (p(\"notifier.upgrade\"; \"none\"; \"op\") | map(.counters.instructions_kernel.per_op)) as \$none |
	(p(\"notifier.upgrade\"; \"kvm\"; \"op\") | first.counters.instructions_kernel.per_op) as \$kvm |
	(\$none | length) == 2 and (\$none | max - min) * 2 < \$kvm - (\$none | max)"
# by: the guest's pass after mprotect in each direction
# shellcheck disable=SC2016
by='def by($d; $m): first(p("notifier.mprotect"; "kvm"; "guest")[] | select(.params.dir == $d) | .counters[$m].per_op);'
for d in up down roundtrip; do
	one "mprotect $d: the guest finds the same frames" \
		"$point $by by(\"$d\"; \"kvm_refaults_same_pfn.protection_vma\") == 1"
	one "mprotect $d: zapped for nothing only if nothing was taken" \
		"$point $by by(\"$d\"; \"kvm_unnecessary.protection_vma\") == $([ $d = up ] && echo 1 || echo 0)"
done
one "without a VM KVM's events are not counted, and the record says so" \
	'[.[] | select(.type == "point" and .status == "ok" and .params.secondary == "none")] | length > 3 and
	all((.counters | has("notifier_start") and (has("kvm_zap_calls") | not)) and
		(.absent.kvm_zap_calls | test("no virtual machine")))'
one "--all-counters counts them" \
	'[.[] | select(.bench == "fault.cow")] | length == 1 and
	all(.counters.kvm_zap_calls.total == 0 and .counters["s2_maps.normal"].total == 0)'
one "causes add up" '[.[] | select(.counters["kvm_unnecessary"])] | length > 5 and all(.counters |
	([to_entries[] | select(.key | startswith("kvm_unnecessary.")) | .value.total] | add) == .kvm_unnecessary.total and
	([to_entries[] | select(.key | startswith("kvm_zapped.")) | .value.total] | add) ==
		.kvm_zapped_leaves.total + .kvm_zapped_blocks.total)'

# A device that could hold a stale entry: none with this QEMU. IDR0: ATS, PRI,
# no stalls; IDR1: bits of a substream's number. A newer one may have it.
# shellcheck disable=SC2016
idr='def idr($i): [.[] | select(.at)] | .[$i].value; def bits($v; $at; $n): $v / ($at | exp2) | floor % ($n | exp2);'
if jq -es "$idr (bits(idr(0); 10; 1) == 0 or bits(idr(0); 16; 1) == 0) and
		bits(idr(0); 24; 2) == 1 and bits(idr(1); 6; 5) == 0" \
		"$tmp/lines.jsonl" > /dev/null 2>&1; then
	check "no SVA: the doctor says so" jq -e \
		'[.[] | select(.what == "SVA" and (.text | test("no device can share")))] | length == 1' \
		"$tmp/doctor.json"
else
	skip "no SVA: the doctor says so" "this QEMU's SMMU may have it: IDR0, IDR1 $(jq -cs "$idr [idr(0), idr(1)]" "$tmp/lines.jsonl")"
fi
