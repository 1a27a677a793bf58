#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# ptelab trend: values and steps of rows over many kernels, holes, what is refused.
# shellcheck source=made-up.sh
. "$(dirname "$0")/made-up.sh"
needs jq

# kernel NAME VALUE [BOOTS [NOISE]]: gup.futex as given, fault.cow always the same
kernel()
{
	make_run -o "$1" -k "$1.0-x" -B "$1" -n "${3:-1}" \
		"gup.futex folio=64k : instructions_kernel=$2${4:+%$4} lockless_gathers=16" \
		"fault.cow folio=4k : instructions_kernel=500"
}
kernel 6.1 1000
kernel 6.12 1000
kernel 6.16 1200
kernel 7.0 1200
kernel 7.3 900
mkdir 6.18
echo 'the guest panicked: <b>VFS</b>' > 6.18/failed
all=(6.1 6.12 6.16 6.18 7.0 7.3)
json=$tmp/t/trend.json

check "a trend" exits 0 ptelab trend --title 'A & <b>' "${all[@]}" -o t
cp out text 2> /dev/null || cp "$tmp/out" "$tmp/text"
holds "all kernels, in their order" '[.kernels[].label] == ["6.1", "6.12", "6.16", "6.18", "7.0", "7.3"]'
holds "the hole says why" '[.kernels[] | .failed // ""] == ["", "", "", "the guest panicked: <b>VFS</b>", "", ""]'
holds "a value for each kernel, none in the hole" '.rows[] | select(.metric == "instructions_kernel" and .bench == "gup.futex") | .values == [1000, 1000, 1200, null, 1200, 900]'
holds "steps, over the hole as well" '.rows[] | select(.metric == "instructions_kernel" and .bench == "gup.futex") | [.steps[] | [.from, .at, .delta]] == [[1, 2, 200], [4, 5, -300]]'
holds "no step where nothing changed" '[.rows[] | select(.bench == "fault.cow") | .steps[]] == []'
holds "a row's id is its path" '[.rows[].id] | index("exact.gup.futex.folio-64k.lockless_gathers") != null'
check "the text names the hole" grep -q '^6.18: not measured: the guest panicked' text
check "the text has the steps" grep -Eq '^  gup.futex 64k: 1200 -> 900, -25\.0%' text
check "the picture names the hole" grep -q '>6.18 ×</text>' t/trend.svg
check "the picture escapes what it is given" grep -q '<title>A &amp; &lt;b&gt;' t/trend.svg
gap()
{
	# one line of the picture is not drawn through the hole
	[ "$(grep -o '<path fill="none"[^>]*d="M[^"]*M' t/trend.svg | wc -l)" = 2 ]
}
check "the picture has a gap" gap
same_bytes()
{
	exits 0 ptelab trend --title 'A & <b>' "${all[@]}" -o again && cmp t/trend.json again/trend.json && cmp t/trend.svg again/trend.svg
}
check "the same runs give the same bytes" same_bytes

# Options and source, as make trend leaves them
echo '{"source": "linux-image 7.3-1", "image_sha256": "ab"}' | tee 6.1/manifest.json > 7.3/manifest.json
printf '# against 6.1\nPREEMPT_COUNT\tn\ty\teverywhere\nFOO\ty\tn\n' > 7.3/options
check "options" exits 0 ptelab trend 6.1 7.3 -o o
json=$tmp/o/trend.json
holds "options that differ, and those that all paths meet" '.kernels[1].options == {"against": "6.1", "differ": 2, "everywhere": [["PREEMPT_COUNT", "n", "y"]]}'
check "two releases are no one change" exits 0 grep -q 'No step can be attributed to one' o/trend.txt
check "options in the text" grep -q '^configuration: 2 options differ from 6.1; nearly every path' o/trend.txt

# Rows that one kernel lacks
make_run -o lacks -k 6.13.0-x -B lacks -n 1 'fault.cow folio=4k : instructions_kernel=500'
check "a point that one kernel lacks" exits 0 ptelab trend 6.1 lacks 7.3 -o l
json=$tmp/l/trend.json
holds "its value is null, and the step is over it" '.rows[] | select(.metric == "instructions_kernel" and .bench == "gup.futex") | [.values, [.steps[] | [.from, .at]]] == [[1000, null, 900], [[0, 2]]]'

kernel varies 1000 2 10
check "points that vary" exits 0 ptelab trend --varying varies
equal "the one that varies" "$(cat "$tmp/out")" "gup.futex:folio=64k"
check "no point varies" exits 0 ptelab trend --varying 6.1
equal "nothing is printed" "$(cat "$tmp/out")" ""

# --- bad input ---
refuses "one run" 'at least two runs' "$PTELAB" trend 6.1
refuses "nothing there" 'nowhere: No such file' "$PTELAB" trend 6.1 nowhere
mkdir foreign
echo hello > foreign/notes
refuses "a foreign folder" 'foreign' "$PTELAB" trend 6.1 foreign
mkdir hole2
echo no > hole2/failed
refuses "nothing but holes" 'no kernel of the trend has booted' "$PTELAB" trend hole2 6.18
refuses "no such metric" 'no kernel has a point with a metric that was asked for' "$PTELAB" trend 6.1 7.3 -m nosuch
refuses "unwritable output" '/proc' "$PTELAB" trend 6.1 7.3 -o /proc/nowhere
if unshare -m true 2> /dev/null; then
	mkdir small
	# shellcheck disable=SC2016
	refuses "a full disk" 'No space left' unshare -m sh -c \
		'mount -t tmpfs -o size=4k none small && exec "$0" trend 6.1 7.3 -o small' "$PTELAB"
else
	skip "a full disk" "no file system can be mounted here"
fi
