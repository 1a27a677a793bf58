#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# ptelab plan: variance by level, boots, batches, minutes.
# shellcheck source=made-up.sh
. "$(dirname "$0")/made-up.sh"
needs jq

# A boot's file with these batches of one operation each; process $3.
file()
{
	local sum=0 v n=0

	for v in ${3//,/ }; do sum=$((sum + v)) n=$((n + 1)); done
	mkdir -p "$1"
	cat >"$1/boot-00$4.jsonl" <<END
{"schema":"ptelab-run-1","type":"header","version":"0.1.0","boot_id":"$2","kernel_release":"6.12.0","machine":{"kind":"bare","clock":"real","icount":false,"mode":"timed"},"seed":1,"metrics":{"ns":{"unit":"ns","kind":"time","better":"lower"}}}
{"type":"point","bench":"gup.fast","params":{},"status":"ok","operations":1,"batches":{"count":$n,"warmup":0,"ns":[$3]},"counters":{"ns":{"per_op":$((sum / n)),"total":$sum,"operations":$n,"pass":"timed"}}}
END
}

# The published example: {[9,5],[8,3]}, {[10,6],[7,11]}, {[1,12],[2,4]}
file kj a 9,5 1; file kj a 8,3 2; file kj b 10,6 3; file kj b 7,11 4; file kj c 1,12 5; file kj c 2,4 6
kalibera_jones()
{
	exits 0 ptelab plan kj --json && json '.points[0] | .mean == 6.5 and .boots == 3 and .processes == 2 and .batches == 2
		and (.batch_variance * 42.25 - 16.5 | fabs) < 1e-9
		and (.process_variance * 42.25 + 5.6666667 | fabs) < 1e-6
		and (.boot_variance * 42.25 - 2.2708333 | fabs) < 1e-6'
}
check "variance by level: three levels" kalibera_jones
# The same as 3 boots of 4 batches: S 12.7, 3.6; T 12.7, 0.4
file two a 9,5,8,3 1; file two b 10,6,7,11 2; file two c 1,12,2,4 3
two_levels()
{
	exits 0 ptelab plan two --json && json '.points[0] | .process_variance == null
		and (.batch_variance * 42.25 - 12.7222222 | fabs) < 1e-6
		and (.boot_variance * 42.25 - 0.3819444 | fabs) < 1e-6'
}
check "variance by level: two levels" two_levels
# r_1 = ceil(sqrt(c_2 / c_1 * 12.7222 / .3819)): with c_2 = 300 c_1 that is 100
best()
{
	exits 0 ptelab plan two --json --boot-cost 300 --batch-cost 1 && json '.points[0].best_batches == 100' &&
	exits 0 ptelab plan two --json --boot-cost 1 --batch-cost 300 && json '.points[0].best_batches == 1' &&
	exits 0 ptelab plan kj --json && json '.points[0].best_batches == null'
}
check "batches for what they cost" best

make_run -o t -M timed -k 6.12.0 -n 6 'gup.pin_fast folio=64k : ns=1000%1' 'fault.cow folio=4k : ns=500%1.5' 'harness.empty : ns=10%30'
boots_for()
{
	ptelab plan t --json "$@" | jq .boots
}
effects()
{
	local some

	some=$(boots_for -e .2)
	[ "$(boots_for -e 5)" = 4 ] && [ "$some" -gt 5 ] && [ "$(boots_for -e .1)" -gt "$some" ] &&
	[ "$(boots_for -e .2 --rows 40)" -gt "$some" ] && [ "$(boots_for -e .2 --power 95)" -gt "$some" ]
}
check "smaller effects, more rows and more power take more boots" effects
# Ranks of 4 against 4 can not reach .05 / 40, but a permutation of the table can
floor()
{
	exits 0 ptelab plan t --json -e 900 --rows 40 && json '.boots == 4'
}
check "no fewer boots than have a verdict at all" floor
cheapest()
{
	exits 0 ptelab plan t --json --boot-cost 100 --batch-cost .1 && json '.seconds > 0 and .batches >= 1
		and (.seconds - 2 * .boots * (100 + .batches * 2 * .1) | fabs) < 1e-6'
}
check "what it costs: both kernels, every point" cheapest
# As many of each, in blocks of ABBA and BAAB; the seed decides.
order()
{
	exits 0 ptelab plan t --json -e .2 && json '(.order | length) == 2 * .boots and (.order | gsub("B"; "") | length) == .boots
		and (.order | test("^((ABBA|BAAB)+)(AB|BA)?$")) and .seed == 1' && cp "$tmp/out" seed1 &&
	exits 0 ptelab plan t --json -e .2 && cmp -s "$tmp/out" seed1 &&
	for s in 2 3 4 5 6; do ptelab plan t --json -e .2 --seed $s; done | jq -s -e 'map(.order) | unique | length > 1' >/dev/null &&
	exits 0 ptelab plan t && grep -qE 'in turn, seed 1: (ABBA|BAAB)' "$tmp/out"
}
check "boots in randomised blocks" order
# What so many minutes can show is shown in so many minutes.
minutes()
{
	local effect

	exits 0 ptelab plan t --json --minutes 600 && effect=$(jq '.effect_for_minutes * 100' "$tmp/out") &&
	exits 0 ptelab plan t --json -e "$effect" && json '.seconds <= 36001' &&
	exits 0 ptelab plan t --minutes 600 && says "In 600 minutes: " &&
	exits 0 ptelab plan t --minutes 1 && says "In 1 minutes: nothing"
}
check "--minutes" minutes
text()
{
	exits 0 ptelab plan t && says "boots of each kernel with --batches" && says "gup.pin_fast folio=64k" && silent_on harness && narrow 75 && ascii
}
check "text: at most 75 columns" text
make_batches long 4 5000 1 1
check "lists of many batches" exits 0 ptelab plan long
make_run -o one -M timed 'a.b : ns=10%1'
make_run -o exact -M exact -n 4 'a.b : instructions=10'
check "one boot" exits 2 ptelab plan one
check "exact counts need no plan" exits 2 ptelab plan exact
check "nothing of what was asked for" exits 2 ptelab plan t -b 'x*'
touch file
check "a folder that is a file" exits 2 make_run -o file -M timed 'a.b : ns=10'
check "bad usage" exits 2 ptelab plan
check "a bad effect" exits 2 ptelab plan t -e 0
check "--help" exits 0 ptelab plan --help
