#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The mmio family on this machine: its loops on ordinary memory, each proved by
# reading back; and that it keeps its hands off devices that are not given to it.
# run: here
set -uo pipefail
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
cd "$top" || exit 1
ptelab=$top/build/native/ptelab

if [ "$(id -u)" -ne 0 ]; then
	skip "mmio" "needs root"
	exit 0
fi
case $(uname -m) in
aarch64) all=str1,str2,str4,str8,stp,neon64,copy plain=str8 other=mov8 ;;
*) all=mov1,mov2,mov4,mov8,movnti,copy plain=mov8 other=str8 ;;
esac

# run NAME ARGS...: leaves the points of a run in $tmp/NAME.json
run()
{
	local name=$1

	shift
	"$ptelab" run -q --batches 2 --warmup 1 --counted 1 "$@" -o "$tmp/$name.jsonl" \
		> /dev/null 2> "$tmp/$name.err"
	jq -s '[.[] | select(.type == "point" and .bench != "harness.empty")]' \
		"$tmp/$name.jsonl" > "$tmp/$name.json"
}

run ram -b "mmio.store:map=ram:sequence=$all:size=8,64,4k" -n 1001
holds "every sequence is proved" ram \
	'[.[] | select(.status == "ok")] | length >= 15 and all(.[]; .proof.read_back_bytes > 8000)'
holds "what is no store of this size is refused" ram \
	'[.[] | select(.status != "ok")] | all(.[]; .status == "unavailable" and (.reason | test("at a time")))'
run shapes -b "mmio.store:map=ram:sequence=$plain:pattern=stream,pingpong,same-line:offset=0,4:size=32" \
	-b "mmio.store:map=ram:sequence=$plain:flush=dsb,readback" -b "mmio.readback:map=ram:sequence=$plain" -n 1001
holds "patterns, offsets, flushes, read-back" shapes 'length == 9 and all(.[]; .status == "ok")'
holds "a read-back costs instructions that the harness does not" shapes \
	'[.[] | select(.params.flush == "readback")] | length == 1 and .[0].proof.group.instructions >= 11 and .[0].proof.group.harness <= 1'
holds "percentiles in order, where there is a clock" shapes \
	'.[] | select(.bench == "mmio.readback") | [.counters["readback_ns.p50", "readback_ns.p90", "readback_ns.p99", "readback_ns.max"].per_op] | . == sort'

run other -b "mmio.store:map=ram:sequence=$other" -b "mmio.store:map=ram:sequence=memcpy_toio" \
	-b mmio.store -b mmio.store:bar=ffff:ffff -b mmio.store:bar=nonsense
holds "refused, with reasons" other \
	'[.[] | [.status, .reason]] | all(.[]; .[0] == "unavailable") and
	 (.[0][1] | test("other architecture")) and (.[1][1] | test("is a kernel function")) and
	 (.[2][1] | test("needs bar=")) and (.[3][1] | test("no such PCI device")) and (.[4][1] | test("write an address"))'

# Every device here has a driver that somebody misses.
tried=0
for device in /sys/bus/pci/devices/*; do
	[ -e "$device/driver" ] || continue
	driver=$(basename "$(readlink "$device/driver")")
	[ "$driver" != vfio-pci ] || continue
	awk '{ n += ($3 ~ /2[0-9a-f][0-9a-f]$/ && $1 != $2) } END { exit !n }' "$device/resource" || continue
	tried=$((tried + 1))
	run owned -b "mmio.store:bar=$(basename "$device"):window=64:size=8"
	holds "$(basename "$device") stays with $driver" owned \
		".[0].status == \"unavailable\" and (.[0].reason | test(\"belongs to the driver $driver\"))"
	equal "$driver still has $(basename "$device")" "$(basename "$(readlink "$device/driver")")" "$driver"
	[ $tried -lt 3 ] || break
done
[ $tried -gt 0 ] || skip "devices stay with their drivers" "no PCI device with a memory BAR has one here"
