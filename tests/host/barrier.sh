#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The barrier family on this machine's own CPUs: which outcomes are seen and
# which never, that "never" says what it is worth, and that costs keep their
# order from run to run where one instruction must cost more than another.
# run: alone
set -uo pipefail
. "$(dirname "$0")/../lib.sh"
cd "$top" || exit 1
ptelab=$top/build/native/ptelab

# measure NAME ARGS...: the points of a run, without its header and harness,
# go to $tmp/NAME.json; each is ok or unavailable.
measure()
{
	local name=$1 bad

	shift
	rm -f "$tmp/$name.jsonl"
	"$ptelab" run -q --counter none --counted 0 --warmup 1 "$@" \
		-o "$tmp/$name.jsonl" > /dev/null 2> "$tmp/$name.err"
	jq -s 'map(select(.type == "point" and .bench != "harness.empty"))' \
		"$tmp/$name.jsonl" > "$tmp/$name.json"
	bad=$(jq -r 'if length == 0 then "no points" else
		[.[] | select(.status != "ok" and .status != "unavailable") | .reason] |
		if length == 0 then "ok" else .[0] end end' "$tmp/$name.json")
	if [ "$bad" = ok ]; then
		ok "$name is measured"
	else
		not_ok "$name is measured" "$bad $(tail -n 1 "$tmp/$name.err")"
	fi
}

# seen NAME RUN FILTER COMMAND...: as holds, of what two processes do only while
# they run at the same time: measures again by the command until they have.
seen()
{
	local name=$1 run=$2 filter=$3 i

	shift 3
	for ((i = 0; i < 20; i++)); do
		[ "$(jq -c "$filter" "$tmp/$run.json" 2>&1)" != true ] || break
		"$@" > "$tmp/again"
	done
	holds "$name" "$run" "$filter"
}

# --- litmus ---

family()
{
	measure family -b 'barrier.*:barriers=each' -n 20000 --batches 5
	jq 'map(select(.params.barriers))' "$tmp/family.json" > "$tmp/litmus.json"
}

litmus()
{
	local start again

	family
	holds "every shape and variant is there" litmus 'length == 54'
	holds "histograms add up" litmus 'map(select(.status == "ok")) |
		all(.[]; .proof.outcomes == 100000 and ([.proof.histogram[]] | add) == 100000)'
	holds "witnesses are the state asked for" litmus 'map(select(.status == "ok").proof) |
		all(.[]; .witnesses == (.histogram[.target] // 0))'
	seen "processes really share memory" litmus 'map(select(.bench == "barrier.mp")) |
		all(.[]; .proof.histogram["1:r0=1; 1:r1=1;"] > 0 and .proof.histogram["1:r0=0; 1:r1=0;"] > 0)' family
	seen "SB without barriers is seen" litmus 'map(select(.bench == "barrier.sb" and .params.barriers == "none").proof) |
		length == 1 and .[0].witnesses > 0 and .[0].evidence == "seen"' family
	seen "the control is in every point" litmus 'map(select(.status == "ok").proof.control) |
		all(.[]; .test == "SB" and .witnesses > 0)' family
	seen "SB with full barriers never, and the control saw it" litmus 'map(select(.bench == "barrier.sb" and .params.barriers == "mb+mb").proof) |
		length == 1 and .[0].witnesses == 0 and .[0].evidence == "control"' family
	holds "nothing that a model in force forbids" litmus 'map(select(.status == "ok" and (.proof.forbidden_by | length) > 0)) |
		length > 0 and all(.[]; .counters.forbidden_outcomes.total == 0)'
	holds "what models allow is no forbidden outcome" litmus 'map(select(.status == "ok" and (.proof.forbidden_by | length) == 0)) |
		length > 0 and all(.[]; .counters.forbidden_outcomes == null and (.absent.forbidden_outcomes | length) > 0)'
	holds "variants with more processes than CPUs say so" litmus 'map(select(.status == "unavailable")) |
		all(.[]; .reason | test("needs [34] CPUs"))'
	if [ "$(uname -m)" = x86_64 ]; then
		holds "MP is never seen on x86" litmus 'map(select(.bench == "barrier.mp").proof.witnesses) |
			length == 20 and add == 0'
		holds "and this machine is named as one that cannot exhibit it" litmus 'map(select(.bench == "barrier.mp").proof) |
			all(.[]; .evidence == "none" and (.no_evidence | test("^this machine cannot exhibit MP: it is x86-64")))'
		holds "SB is not named so" litmus 'map(select(.bench == "barrier.sb").proof) |
			all(.[]; has("cannot_exhibit") | not)'
	fi

	for start in timebase none; do
		again=(measure "start-$start" -b "barrier.sb:start=$start" -n 20000 --batches 5)
		"${again[@]}"
		seen "SB is seen with start=$start" "start-$start" '.[0].proof.witnesses > 0' "${again[@]}"
	done
	again=(measure layout -b "barrier.sb:stride=1,7:shuffle=on,off" -n 20000 --batches 3)
	"${again[@]}"
	seen "SB is seen with every layout" layout 'length == 4 and all(.[]; .proof.outcomes == 60000 and .proof.witnesses > 0)' "${again[@]}"
	"$ptelab" run --dry-run -b barrier.sb:stride=2 > "$tmp/even" 2>&1
	check "an even stride is refused with the reason" grep -q 'unavailable: stride must be odd' "$tmp/even"
}

# --- publish ---

publish()
{
	measure publish -b barrier.publish:writer=each:reader=each:watch=each -n 5000 --batches 3
	holds "every pair of writer and reader" publish 'length == 50 and all(.[]; .status == "ok" and .proof.outcomes == 15000)'
	holds "each comes down to a litmus test" publish '[.[].proof.litmus] | unique | length == 20'
	holds "a release of is_initialised does not order the flag" publish 'map(select(.params.writer == "release" and .params.reader == "acquire") |
		{(.params.watch): .proof.models.LKMM}) | add == {flag: "Sometimes", initialised: "Never"}'
	holds "wmb before is_initialised covers both words" publish 'map(select(.params.writer == "wmb" and .params.reader == "rmb").proof.models.LKMM) | . == ["Never", "Never"]'
	holds "no context is old where a model in force forbids it" publish 'map(select(.proof.forbidden_by | length > 0)) |
		length > 0 and all(.[]; .counters.forbidden_outcomes.total == 0)'
	measure latency -b barrier.publish:measure=latency:words=1,64 -n 500 --batches 7
	holds "latencies are in order" latency 'all(.[]; .counters |
		.["latency_ns.p50"].per_op <= .["latency_ns.p90"].per_op and
		.["latency_ns.p90"].per_op <= .["latency_ns.p99"].per_op and
		.["latency_ns.p50"].per_op <= .["usable_ns.p50"].per_op)'
	holds "and their histogram has all of them" latency 'all(.[]; ([.proof.latency_histogram[][1], .proof.plain_latency_histogram[][1]] | add) == 3500)'
	holds "and whether the reader's barrier changes it" latency 'all(.[]; .proof.later_ns | .low <= .median and .median <= .high and has("told"))'
	measure sides -b barrier.publish:measure=writer,reader,bail -n 500 --batches 7
	holds "each side says whether its cost can be told" sides 'all(.[]; .proof | has("told"))'
}

# --- how it is shown ---

shown()
{
	"$ptelab" show "$tmp/family.jsonl" --format litmus > "$tmp/log" 2>&1
	check "outcomes as litmus7 prints them" grep -qE '^Observation SB Sometimes [0-9]+ [0-9]+$' "$tmp/log"
	check "MP+wmb+rmb is in it" grep -qE '^Observation MP\+wmb\+rmb Never 0 100000$' "$tmp/log"
	"$ptelab" show "$tmp/family.jsonl" --format barriers --beside "$tmp/log" > "$tmp/table" 2>&1
	check "a log beside the run" grep -q '^  (other)' "$tmp/table"
	equal "the tables fit into mail" "$(awk 'length > 80' "$tmp/table")" ''
	if [ "$(uname -m)" = x86_64 ]; then
		check "the text names a machine that cannot exhibit MP" grep -q '^\* this machine cannot exhibit MP' "$tmp/table"
	fi
	refuses "a log that is none" 'no litmus test in it' "$ptelab" show "$tmp/family.jsonl" \
		--format barriers --beside "$tmp/family.json"
}

if [ "$(nproc)" -ge 2 ]; then
	litmus
	publish
	shown
else
	skip "litmus tests and the publish pattern" "needs two CPUs"
fi

# --- costs ---

if [ "$(uname -m)" = x86_64 ]; then
	measure cost -b barrier.cost:barrier=none,sfence,mfence,lock.add --batches 9
	holds "each barrier has a cost, and says whether it can be told" cost 'length == 4 and
		all(.[]; (.counters.barrier_ns.per_op | type == "number") and (.proof | has("told")))'
	"$ptelab" run --dry-run -b barrier.cost:barrier=dmb.ish > "$tmp/arm" 2>&1
	check "an instruction of arm64 is unavailable here" grep -q 'dmb.ish is an instruction of arm64' "$tmp/arm"
fi
again=(measure null -b "barrier.cost:state=l1,owned:stores=1,4" --batches 9)
"${again[@]}"
# An interval of 95 % may be wrong now and then.
seen "none says that its cost can't be told" null \
	'map(select(.proof.told == false and (.proof.not_told | length) > 0)) | length >= 1' "${again[@]}"
"$ptelab" run --dry-run -b barrier.cost:state=mmio -b barrier.cost:state=owned:stores=0 > "$tmp/dry" 2>&1
check "without a BAR there is no state=mmio" grep -q 'state=mmio needs bar=DEVICE' "$tmp/dry"
check "nothing can be owned without a store" grep -q 'stores=0 stores to no line' "$tmp/dry"
# Any file that can be mapped shared stands for a BAR: what is stored arrives.
truncate -s 16k "$tmp/bar"
"$ptelab" run -q --counter none --counted 0 --batches 3 -n 1000 -b barrier.cost:state=mmio \
	-p bar="$tmp/bar" -o "$tmp/bar.jsonl" > /dev/null 2>&1
check "state=mmio stores into what it is given" test "$(tr -d '\0' < "$tmp/bar" | wc -c)" -gt 256

if command -v gnuplot > /dev/null && [ "$(uname -m)" = x86_64 ] && [ "$(nproc)" -ge 2 ]; then
	"$ptelab" run -q --counter none --counted 0 --warmup 0 --batches 7 -n 2000 -o "$tmp/plot.jsonl" \
		-b barrier.cost:barrier=none,mfence:stores=0,1,4 \
		-b barrier.publish:measure=latency:writer=wmb:reader=rmb,full > /dev/null 2>&1
	check "pictures" "$ptelab" plot "$tmp/plot.jsonl" -o "$tmp/plots" -f svg --keep
	check "cost against stores, a line a barrier" grep -q '>mfence<' "$tmp/plots/barrier-cost.svg"
	# shellcheck disable=SC2016
	equal "with every point of it" "$(sed -n '/^\$data/,/^EOD/p' "$tmp/plots/barrier-cost.gp" | grep -c '^[125] ')" 6
	check "latency, a line a variant" grep -q '>writer wmb, reader full<' "$tmp/plots/barrier-latency.svg"
	# Every line ends at all of them.
	equal "shares add up" "$(awk '/^\$data/ { on = 1 } /^EOD/ { on = 0 }
		on && NF == 4 { last = $2 } on && NF == 0 && last != "" { print last; last = "" }' \
		"$tmp/plots/barrier-latency.gp" | sort -u)" 100
else
	skip "pictures" "needs gnuplot, two CPUs and barriers of x86-64"
fi
