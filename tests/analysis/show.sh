#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# ptelab show: figures, reasons, completeness, forms, width.
# shellcheck source=made-up.sh
. "$(dirname "$0")/made-up.sh"
needs jq

make_run -o run -k 6.12.0 -B aaaabbbbccccddddeeee -n 5 \
	'harness.empty : instructions_kernel=50' \
	'gup.pin_fast folio=64k pages=16 : instructions_kernel=1331.5+0.25 lockless_gathers=16 cycles=-icount' \
	'mmio.store map=vfio ! unavailable no VFIO device' \
	'gup.odirect pages=1 ! invalid pgreuse moved by 3, not 256'

exits 0 ptelab show run
check "header" says "kernel   6.12.0, build aaaabbbbcccc..: 5 exact boots, seeds 1-5"
check "completeness" says "5 files, 5 boots, complete"
check "median and range over boots" says "1331.5..1332.5"
check "one value in all boots" says "same"
check "operations and harness share" says "256 operations x 5 batches; the harness is 0.42% of the instructions"
check "why a metric is absent, once" says "  cycles: icount"
check "unavailable, with the reason" says "unavailable: no VFIO device"
check "invalid, with the reason" says "invalid: pgreuse moved by 3, not 256"
check "how many points are measured" says "4 points, 2 measured"
check "at most 80 columns" narrow 80
check "plain ASCII" ascii
exits 0 ptelab show run -v
check "-v: proof" says 'proof: {"contpte_pages": 256}'
check "-v: why a metric is absent at a point" says "no cycles: icount"
zeros()
{
	make_run -o zero -k 6.12.0 -n 2 'a.b : x=0 y=0 z=1' &&
	exits 0 ptelab show zero && says "    0: x, y" && says "  z " && silent_on "  x  " &&
	exits 0 ptelab show zero -v && says "  x  " && silent_on "0: x" &&
	exits 0 ptelab show zero -m x && says "  x  " && silent_on "0: x"
}
check "metrics that are 0 in one line, unless -v or -m" zeros
nothing()
{
	make_run -o none -k 6.12.0 'harness.empty : ns=1' 'a.b ! unavailable no such device' &&
	exits 0 ptelab show none && says "NOTHING WAS MEASURED" && exits 0 ptelab show run && silent_on "NOTHING"
}
check "a run that measured nothing is no success" nothing

long=$(printf 'very_long_name_%.0s' 1 2 3 4 5 6 7 8)
make_run -o long -k "6-$long" -n 3 "b.$long $long=$long : x.$long=123456789012.5+1000" "c.$long ! failed $long$long"
exits 0 ptelab show long
check "at most 80 columns with the longest names" narrow 80

some_invalid()
{
	make_run -o part -k 6.12.0 -n 2 'a.b : faults.minor=1' &&
	make_run -o part -k 6.12.0 -n 1 -s 3 'a.b ! invalid it moved' &&
	exits 0 ptelab show part && says "invalid in 1 of 3 files: it moved"
}
check "invalid in some boots only" some_invalid
incomplete()
{
	make_run -o cut -n 2 -t 'a.b : faults.minor=1' &&
	exits 0 ptelab show cut && says "INCOMPLETE" && says "boot-002.jsonl: incomplete: cut short after 1 point"
}
check "incomplete" incomplete
variation()
{
	make_run -o timed -M timed -n 5 'a.b : ns=1000%1' && exits 0 ptelab show timed &&
	says "between batches" && says "between boots"
}
check "timed: where the variation is" variation
one_file()
{
	exits 0 ptelab show run/boot-003.jsonl && says "1 file, 1 boot" && says "instructions_kernel    1332 "
}
check "a single boot file" one_file

posted()
{
	make_run -o mm -M timed -n 4 'mmio.store map=wc sequence=iowrite64 size=8 : ns=200%1 mb_per_s=40' \
		'mmio.store map=wc sequence=memcpy_toio size=8 : ns=150+1 mb_per_s=53' \
		'mmio.store map=wc sequence=memcpy_toio size=64 : ns=300+1 mb_per_s=213' &&
	exits 0 ptelab show mm --format mmio && says '| size | iowrite64 | memcpy_toio |' &&
	says ' | 151.5 ns (150.0 to 153.0) |' && grep -qE '^. 8B . (199|200|201)[.0-9]* ns [(]' "$tmp/out" &&
	says '| 64B | - | 301.5 ns (300.0 to 303.0) |' && says 'Median and range of 4 boots.' && says '213.0 MB/s'
}
check "--format mmio: the table that people post, with n and spread" posted
no_speed()
{
	make_run -o mx 'mmio.store map=wc sequence=str8 size=64 : instructions_user=8.125 ns=-emulated' &&
	exits 0 ptelab show mx --format mmio && says '| 64B | 8.12 instr |' && says 'No time: emulated' && silent_on ' ns'
}
check "--format mmio: no time from an emulator" no_speed
exits 0 ptelab show run --json
check "json: points" json '.schema == "ptelab-show-1" and (.points | length) == 4'
check "json: values" json '.points[1].metrics.instructions_kernel.per_op
	| .min == 1331.5 and .max == 1332.5 and (.values | length) == 5'
check "json: reasons" json '.points[2] | .status == "unavailable" and .reason == "no VFIO device" and .metrics == {}'
exits 0 ptelab show run --format csv
check "csv: a line for each metric and each reason" test "$(wc -l <"$tmp/out")" = 6
check "csv: as many cells in every line" awk -F, 'NR == 1 { n = NF } NF != n && !/"/ { exit 1 }' "$tmp/out"
exits 0 ptelab show run -b 'gup.pin_fast:pages=1,16' -m 'lockless_*' --format csv
check "-b and -m" test "$(wc -l <"$tmp/out")" = 2
check "no such point" exits 2 ptelab show run -b nothing
check "no such point: what there is" says "they have harness.empty, gup.pin_fast" err
exits 2 ptelab show run -b gup.pin_fast:folio=4k
check "no such value: what there is" says "they have gup.pin_fast:folio=64k:pages=16" err
exits 2 ptelab show run -b 'gup.*' -b gup.odirct
check "no such point: what may be meant, also beside one that matches" says "did you mean gup.odirect?" err
exits 2 ptelab show run -m 'cycels'
check "no such metric" says "-m 'cycels' matches nothing" err
check "no run" exits 2 ptelab show
check "two runs" exits 2 ptelab show run run
mkdir of-ab && cp -r run of-ab/base && cp -r run of-ab/patched
exits 0 ptelab show of-ab
equal "a folder of make ab: both runs" "$(grep -c '^run  *of-ab/\(base\|patched\): 5 files' "$tmp/out")" 2
exits 2 ptelab show of-ab --json
check "a folder of make ab: another format shows one" says "give of-ab/base or of-ab/patched" err
check "--help" exits 0 ptelab show --help
