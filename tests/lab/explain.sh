#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# explain.sh: what the emulator's plugin counts is what the PMU counts, it
# changes nothing, and what a difference is of adds up to all of it.
# run: needs notify-upgrade-range
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

lab=$top/scripts/lab
ptelab=$top/build/native/ptelab
need_deps lab-explain build lab arm64 test

# kernel NAME [options]: its folder in $tmp/NAME.kernel
kernel()
{
	local name=$1

	shift
	if ! "$lab/kernel" "$@" > "$tmp/$name.kernel" 2> "$tmp/err"; then
		not_ok "$name-kernel" "$(tail -n 1 "$tmp/err")"
		exit 1
	fi
}

# boot NAME KERNEL PROGRAM JOB [options]: a boot file in $tmp/NAME
boot()
{
	local name=$1 kernel program=$3 job=$4

	kernel=$(cat "$tmp/$2.kernel")
	shift 4
	mkdir -p "$tmp/$name"
	printf '%s\n' "$job" > "$tmp/job"
	if ! "$lab/boot" --image "$kernel/Image" --ptelab "$program" --job "$tmp/job" \
			--out "$tmp/$name/boot-001.jsonl" "$@" > "$tmp/end" 2>&1; then
		not_ok "boot-$name" "$(tail -n 1 "$tmp/end")"
	fi
}

kernel base
kernel upgrade --series notify-upgrade-range
guest=$top/build/arm64/ptelab

# --- a region of known instructions ---

aarch64-linux-gnu-gcc -O2 -static -I"$top" -o "$tmp/prog" "$top/tests/lab/count-prog.c" || exit 1
boot known base "$tmp/prog" ptelab --count=lines
got=$(jq -r 'select(.type == "point") | .counters |
	[.loads, .stores, .atomics, .exclusives, .dsb, .dmb, .isb, .sysreg_writes,
	 .sysreg_reads, .cache_ops, .tlbi, .["exceptions.user_svc"]] |
	map(.total) | join(" ")' "$tmp/known/boot-001.jsonl")
equal known-instructions "$got" "500 600 200 200 100 200 100 100 100 100 0 0"
# an interrupt may add some of the kernel's; there is none in so short a region
equal known-lines "$(jq -r 'select(.type == "point") | .counters.lines_touched.total' \
	"$tmp/known/boot-001.jsonl")" 3

# --- nothing is changed by being counted ---

series1='ptelab run -o - --seed @SEED@ --batches 3 --warmup 1 --counted 1 -b notifier.upgrade:folio=4k -b notifier.upgrade:folio=4k:secondary=kvm:measure=op,guest -b notifier.mprotect:dir=up:secondary=kvm'
series2='ptelab run -o - --seed @SEED@ --batches 2 --warmup 1 --counted 0 -b gup.pin_fast:pages=16 -b fault.spurious -b fault.cow -p folio=4k,64k'
both=$(printf '%s\n%s' "$series1" "$series2")
# A job of several commands leaves several runs: each is looked at by itself.
split()
{
	awk -v stem="$tmp/$1/boot-001" '/"type":"header"/ { out = stem "-" ++n ".part" }
		{ print > out }' "$tmp/$1/boot-001.jsonl"
	rm "$tmp/$1/boot-001.jsonl"
	for f in "$tmp/$1"/*.part; do
		mv "$f" "${f%.part}.jsonl"
	done
}
# What the guest itself had written
plain()
{
	jq -c 'if .type == "footer" then del(.checksum) else del(.insns, .absent) |
		if .counters then .counters |= with_entries(select(.value.pass != "region"))
		else . end end' "$tmp/$1/boot-001.jsonl"
}
boot plain base "$guest" "$both"
boot counted base "$guest" "$both" --count
boot again base "$guest" "$both" --count
boot lines base "$guest" "$both" --count=lines
for way in counted lines; do
	if cmp -s <(plain plain) <(plain "$way"); then
		ok "$way-changes-no-count"
	else
		not_ok "$way-changes-no-count" "$(diff <(plain plain) <(plain "$way") | wc -l) lines differ"
	fi
	check "$way-changes-no-byte-of-the-console" \
		cmp "$tmp/plain/boot-001.console" "$tmp/$way/boot-001.console"
done
check counted-twice-the-same cmp "$tmp/counted/boot-001.jsonl" "$tmp/again/boot-001.jsonl"
check instructions-twice-the-same cmp "$tmp/counted/boot-001.insns.gz" "$tmp/again/boot-001.insns.gz"
same='select(.type == "point" and .status == "ok") | .counters |
	with_entries(select(.value.pass == "region" and .key != "lines_touched"))'
check lines-count-nothing-else cmp <(jq -c "$same" "$tmp/counted/boot-001.jsonl") \
	<(jq -c "$same" "$tmp/lines/boot-001.jsonl")

# --- the plugin and the PMU agree, on every point ---

points=$(jq -c 'select(.type == "point" and .status == "ok")' "$tmp/counted/boot-001.jsonl" | wc -l)
agreed=$(jq -c 'select(.type == "point" and .status == "ok" and .counters.loads)' "$tmp/counted/boot-001.jsonl" | wc -l)
equal plugin-and-pmu-agree "$agreed of $points" "$points of $points"
if [ "$points" -ge 12 ]; then
	ok points-to-agree-on
else
	not_ok points-to-agree-on "only $points points were measured"
fi
# A write fault that makes a page writable invalidates that page, once.
upgrade='select(.bench == "notifier.upgrade" and .params.secondary == "none") | .counters'
equal tlbi-of-an-upgrade "$(jq -r "$upgrade"' | [.tlbi, .["tlbi.broadcast_page"],
	.["tlbi.broadcast_range"], .["exceptions.user_abort"]] | map(.per_op) | join(" ")' \
	"$tmp/counted/boot-001.jsonl")" "1 1 0 1"

# --- the difference is accounted for ---

boot upgrade upgrade "$guest" "$series1" --count
split counted
split plain
for m in instructions instructions_kernel loads; do
	shares "all-of-notify-upgrade-range-$m" "$tmp/counted" "$tmp/upgrade" "$m" 3
done
shares all-of-notify-upgrade-range-sysreg_reads "$tmp/counted" "$tmp/upgrade" sysreg_reads 2
equal upgrade-goes-to-kvm "$("$ptelab" explain "$tmp/counted" "$tmp/upgrade" \
	-b notifier.upgrade:secondary=kvm:measure=op --json |
	jq -r '.[].functions[] | select(.name == "__mmu_notifier_invalidate_range_start") | "\(.calls_base) \(.calls_new)"')" "0 1"
"$ptelab" explain "$tmp/counted" "$tmp/upgrade" --instructions 2 -o "$tmp/where.svg" > "$tmp/text"
check explain-fits-mail awk 'length > 75 { exit 1 }' "$tmp/text"
check flame-graph-is-xml python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$tmp/where.svg"
check flame-graph-needs-nothing-else sh -c "! grep -E 'href=|src=|@import|<script' '$tmp/where.svg'"

# --- refusals ---

refuses explain-uncounted 'boot with scripts/lab/boot --count' "$ptelab" explain "$tmp/plain" "$tmp/plain" -b fault.cow
refuses explain-time 'nothing that single instructions make up' "$ptelab" explain "$tmp/counted" "$tmp/counted" -m contpte_folds -b notifier.upgrade
printf 'ptelab run -o - -b fault.cow\n' > "$tmp/job"
refuses count-needs-one-cpu '--count counts in --mode exact only' "$lab/boot" --image "$(cat "$tmp/base.kernel")/Image" \
	--ptelab "$guest" --job "$tmp/job" --out "$tmp/x.jsonl" --count --mode race
cp "$(cat "$tmp/base.kernel")/Image" "$tmp/Image"
refuses count-needs-symbols 'needs .*System.map' "$lab/boot" --image "$tmp/Image" \
	--ptelab "$guest" --job "$tmp/job" --out "$tmp/x.jsonl" --count
