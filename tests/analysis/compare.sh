#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# ptelab compare on made-up runs: verdicts, refusals, widths, forms.
# shellcheck source=made-up.sh
. "$(dirname "$0")/made-up.sh"
needs jq

gup='gup.pin_fast folio=64k pages=16 write=1'
make_run -o base -k 6.12.0 -B aaaa -n 5 \
	'harness.empty : instructions_kernel=50 instructions_user=10 instructions=60' \
	"$gup : instructions_kernel=1331.5+0.25 lockless_gathers=16 lockless_retries=0.02 gup_slow_pages=0 pages_pinned=16" \
	'gup.futex folio=64k : instructions_kernel=700+10 lockless_gathers=1' \
	'notifier.upgrade pages=1 : kvm_zap_calls=0 kvm_refaults_same_pfn=0 notifier_secondary=1 shadow_stale=0' \
	'mmio.store map=vfio : s2_maps.nc=256 s2_maps.device=0' \
	'fault.cow folio=4k : instructions_kernel=900 faults.minor=1 contpte_unfolds=0' \
	'fault.file folio=4k ! unavailable no such file system' \
	'fault.anon folio=4k ! invalid pgreuse moved by 3, not 256' \
	'fault.only folio=4k : faults.minor=1'
make_run -o new -k 6.12.0-x -B bbbb -n 5 \
	'harness.empty : instructions_kernel=50 instructions_user=10 instructions=60' \
	"$gup : instructions_kernel=620.25 lockless_gathers=0 lockless_retries=0 gup_slow_pages=0.5 pages_pinned=15" \
	'gup.futex folio=64k : instructions_kernel=705+11 lockless_gathers=-gone' \
	'notifier.upgrade pages=1 : kvm_zap_calls=1 kvm_refaults_same_pfn=1 notifier_secondary=0 shadow_stale=3' \
	'mmio.store map=vfio : s2_maps.nc=0 s2_maps.device=256' \
	'fault.cow folio=4k : instructions_kernel=900 faults.minor=1 contpte_unfolds=2' \
	'fault.file folio=4k ! unavailable no such file system' \
	'fault.anon folio=4k : faults.minor=1'

# --- verdicts ---

exact_verdicts()
{
	exits 0 ptelab compare base new --json &&
	json '[.results[] | select(.bench == "gup.pin_fast") | {(.metric): .verdict}] | add
		== {"instructions_kernel": "improvement", "lockless_gathers": "improvement",
		    "lockless_retries": "improvement", "gup_slow_pages": "regression",
		    "pages_pinned": "changed"}' &&
	json '.results[] | select(.bench == "fault.cow" and .metric == "instructions_kernel")
		| .verdict == "equal" and .delta == 0 and .base == 900 and .new == 900' &&
	json '.results[] | select(.bench == "gup.futex") | .verdict == "overlap"
		and .base.min == 700 and .base.max == 740 and (.base.values | length) == 5'
}
check "exact: ranges apart, equal, overlapping" exact_verdicts

# the folder that make ab leaves stands for its two runs
one_folder()
{
	mkdir -p ab && cp -r base ab/base && cp -r new ab/patched &&
	exits 0 ptelab compare ab && cp "$tmp/out" one &&
	exits 0 ptelab compare ab/base ab/patched && cmp one "$tmp/out" &&
	rm -r ab/patched && exits 2 ptelab compare ab
}
check "the folder of a make ab" one_folder

# two releases: which is more, and that no row is one change's doing
two_releases()
{
	make_run -o r1 -k 6.12.118+deb13-arm64 -B a -n 3 'a.b : faults.minor=10 faults.major=3' 'c.d : faults.minor=1' &&
	make_run -o r2 -k 7.3.4+deb13-arm64 -B b -n 3 'a.b : faults.minor=13 faults.major=2' 'c.d : faults.minor=1' &&
	exits 0 ptelab compare r1 r2 --format rows &&
	grep -q '^r2 against r1: 1 more, 1 less, 1 equal;' "$tmp/out" &&
	grep -q '^6.12.118 and 7.3.4 are two releases: ' "$tmp/out" &&
	grep -Eq '^ *faults.minor .* more$' "$tmp/out" && grep -Eq '^ *faults.major .* less$' "$tmp/out" &&
	! grep -Eq 'regression|improvement|is better' "$tmp/out" &&
	exits 0 ptelab compare r1 r2 --format markdown && grep -q '| more ' "$tmp/out" &&
	exits 1 ptelab compare r1 r2 --fail-on regression &&
	exits 0 ptelab compare r1 r2 --json &&
	json '.two_releases | test("^6.12.118 and 7.3.4 are two releases: .* one change")' &&
	json '[.results[].verdict] | sort == ["equal", "improvement", "regression"]'
}
check "two releases: more and less, and whose doing it is not" two_releases

# the same release built twice is none
one_release()
{
	exits 0 ptelab compare base new --json && json 'has("two_releases") | not'
}
check "one release, two builds: verdicts" one_release

# seeds vary: the same difference with each is one, however the ranges lie
by_seed()
{
	make_run -o "l1-3" -B a -n 3 'v.a : instructions_kernel=1000+10' 'v.b : instructions_kernel=1000+10' \
		's.a : instructions_kernel=1000 faults.minor=1000' &&
	make_run -o "l2-3" -B b -n 3 'v.a : instructions_kernel=1005+10' 'v.b : instructions_kernel=1005+11' \
		's.a : instructions_kernel=1005 faults.minor=1005' &&
	exits 0 ptelab compare l1-3 l2-3 --json &&
	json '[.results[] | {(.bench + " " + .metric): .verdict}] | add == {"v.a instructions_kernel": "regression",
		"v.b instructions_kernel": "overlap", "s.a instructions_kernel": "regression", "s.a faults.minor": "regression"}' &&
	exits 0 ptelab compare l1-3 l2-3 --format rows && says "1000..1020 -> 1005..1025 over seeds, the same difference with every"
}
check "exact: the same difference with every seed is one" by_seed

# and otherwise boots decide, which takes some
apart()
{
	make_run -o "t1-$1" -B a -n "$1" 'a.b : faults.minor=10+1' &&
	make_run -o "t2-$1" -B b -n "$1" "a.b : faults.minor=$2+2" &&
	exits 0 ptelab compare "t1-$1" "t2-$1" --json && json ".results[0].verdict == \"$3\""
}
check "exact: ranges that touch are no difference" apart 3 12 overlap
check "exact: ranges apart are none where boots are few" apart 3 13 inconclusive
check "exact: but one where they are more" apart 5 16 regression

exits 0 ptelab compare base new --json
check "sorted: differences first, by ratio" json \
	'[.results[] | select(.ratio != null and .ratio > 0 and (.verdict | IN("regression", "improvement", "changed")))
	  | .ratio | log | fabs] | . == (sort | reverse)'
check "a metric on one side is told, not 0" json \
	'.one_side_only[0] | .metric == "lockless_gathers" and .side == "base" and .reason == "gone" and .value == 1'
check "points that are not ok are listed with their reasons" json \
	'[.not_compared[] | [.bench, .side, .status, .reason]] | sort == ([
	  ["fault.file", "both", "unavailable", "no such file system"],
	  ["fault.anon", "base", "invalid", "pgreuse moved by 3, not 256"],
	  ["fault.only", "base", "missing", "only in base"]] | sort)'
check "results have every member of the contract" json \
	'.results | all(has("bench") and has("params") and has("metric") and has("unit")
	  and has("tier") and has("better") and has("base") and has("new") and has("delta")
	  and has("ratio") and has("ci_low") and has("ci_high") and has("boots_base")
	  and has("boots_new") and has("p") and has("p_adjusted") and has("verdict"))'

# --- findings ---

check "each rule fires on its metrics" json \
	'[.findings[].rule] | unique == ["contpte-unfolded", "exact-difference", "gup-slow-fallback",
	  "lockless-retry", "stage2-memtype", "stale-secondary-tlb", "unnecessary-kvm-zap"]'
check "one stale-secondary-tlb a point" json \
	'[.findings[] | select(.rule == "stale-secondary-tlb")] | length == 1'
check "every exact difference is in some finding" json \
	'([.results[] | select(.tier == "exact" and (.verdict | IN("regression", "improvement", "changed")))] | length)
	 == ([.findings[] | select(.rule == "exact-difference") | .evidence[]] | length)'
check "findings have every member of the contract" json \
	'.findings | all(has("rule") and has("severity") and has("bench") and has("params")
	  and has("text") and (.evidence | length > 0) and (.reproduce | test("ptelab run -b")))'
refuses_selector()
{
	exits 2 ptelab compare base new -b 'gup.*:folio' && says "'folio' is not a parameter" "$tmp/err" && [ "$(wc -l < "$tmp/err")" = 1 ]
}
# What a finding says will reproduce it selects its point, whatever its
# parameters hold.
reproduces()
{
	local b

	make_run -o pci1 -B aaaa 'mmio.store bar=0000:41:00.0/2 size=4k : s2_maps.nc=256 s2_maps.device=0' &&
	make_run -o pci2 -B bbbb 'mmio.store bar=0000:41:00.0/2 size=4k : s2_maps.nc=0 s2_maps.device=256' &&
	exits 0 ptelab compare pci1 pci2 --json &&
	b=$(jq -r '.findings[0].reproduce' "$tmp/out" | sed "s/.*NEW -b '//; s/'$//") &&
	exits 0 ptelab compare pci1 pci2 -b "$b" && exits 0 ptelab compare pci1 pci2 -b "${b/4k/4K}" &&
	exits 2 ptelab compare pci1 pci2 -b "${b/41/42}"
}
check "findings: the command that reproduces one selects its point" reproduces
check "a selector that is none" refuses_selector
exits 0 ptelab compare base base --json
check "no finding and no difference between a run and itself" json \
	'.findings == [] and (.counts.regression + .counts.improvement + .counts.changed) == 0
	 and .counts.equal > 0'
check "the same build is said" json '.notes | any(. == "both sides are the same build")'

# --- timed ---

timed='gup.pin_fast folio=64k'
make_run -o tb -M timed -k 6.12.0 -B aaaa -n 6 "$timed : ns=1000%1" \
	"fault.cow folio=4k : ns=500%.05" "fault.file folio=4k : ns=100%8"
make_run -o tn -M timed -k 6.12.0-x -B bbbb -n 6 "$timed : ns=800%1" \
	"fault.cow folio=4k : ns=500%.05" "fault.file folio=4k : ns=100%8"
timed_verdicts()
{
	exits 0 ptelab compare tb tn --json &&
	json '[.results[] | {(.bench): .verdict}] | add == {"gup.pin_fast": "improvement",
		"fault.cow": "equivalent", "fault.file": "inconclusive"}' &&
	json '.family.adjusted == 3 and .family.adjustment == "Holm" and .options.bootstrap.seed == 1' &&
	json '.results[] | select(.bench == "gup.pin_fast") | .ci_low > 0.75 and .ci_high < 0.85
		and (.p - 0.0021645 | fabs) < 1e-6 and (.p_adjusted - 0.0064935 | fabs) < 1e-6
		and .boots_base == 6'
}
check "timed: improvement, equivalent, inconclusive" timed_verdicts
few_boots()
{
	make_run -o tb3 -M timed -B aaaa -n 3 "$timed : ns=1000%1" &&
	make_run -o tn3 -M timed -B bbbb -n 3 "$timed : ns=500%1" &&
	exits 0 ptelab compare tb3 tn3 --json &&
	json '.results[0] | .verdict == "inconclusive" and .p == null
		and .reason == "fewer than 4 boots a side: no timed verdict"' &&
	exits 0 ptelab compare tb3 tn3 && says "fewer than 4 boots a side: no timed verdict"
}
check "timed: no verdict under 4 boots" few_boots
processes_are_no_boots()
{
	make_run -o tp -M timed -B aaaa -n 2 -P 4 "$timed : ns=1000%1" &&
	make_run -o tq -M timed -B bbbb -n 2 -P 4 "$timed : ns=500%1" &&
	exits 0 ptelab compare tp tq --json &&
	json '.results[0] | .verdict == "inconclusive" and .boots_base == 2'
}
check "timed: eight processes of two boots are two boots" processes_are_no_boots
family_floor()
{
	make_run -o tb4 -M timed -B aaaa -n 4 a.a\ :\ ns=10%1 a.b\ :\ ns=10%1 &&
	make_run -o tn4 -M timed -B bbbb -n 4 a.a\ :\ ns=20%1 a.b\ :\ ns=20%1 &&
	exits 0 ptelab compare tb4 tn4 --json &&
	json '.family == {"timed": 2, "adjusted": 2, "adjustment": "max-t permutation"}' &&
	json '.results | all(.verdict == "regression" and (.p_adjusted - 2 / 70 | fabs) < 1e-9)' &&
	exits 0 ptelab compare tb4 tn4 --format rows && says "which takes 5 a side" && says "permutation of boots for all 2 rows that vary" &&
	exits 0 ptelab compare tb4 tn4 -b a.a --json &&
	json '.family == {"timed": 1, "adjusted": 2, "adjustment": "max-t permutation"}' &&
	json '(.results | length) == 1 and (.results[0] | .verdict == "regression" and (.p_adjusted - 2 / 70 | fabs) < 1e-9)'
}
# what is left out of the output is not left out of the judgement
filter_judges_nothing()
{
	exits 0 ptelab compare l1-3 l2-3 --json && jq -c '[.results[] | {bench, params, metric, verdict}] | sort' "$tmp/out" > whole &&
	for b in $(jq -r '.[].bench' whole | sort -u); do
		exits 0 ptelab compare l1-3 l2-3 --json -b "$b" &&
		jq -c '.results[] | {bench, params, metric, verdict}' "$tmp/out" > part && [ -s part ] &&
		jq -e --slurpfile part part '. as $whole | all($part[]; . as $p | any($whole[]; . == $p))' whole > /dev/null || return
	done
}
check "a verdict does not depend on -b" filter_judges_nothing
check "timed: what ranks of few boots can't tell in a table, a permutation does" family_floor
few_boots_nothing_there()
{
	make_run -o tn5 -M timed -k 6.12.0-x -B bbbb -n 4 a.a\ :\ ns=10%1 a.b\ :\ ns=10%1 &&
	exits 0 ptelab compare tb4 tn5 --json &&
	json '.results | all(.verdict == "inconclusive" and .p_adjusted > 0.05)'
}
check "timed: a permutation does not tell what is not there" few_boots_nothing_there
margin()
{
	exits 0 ptelab compare tb tn -b fault.file --margin 50 --json &&
	json '.results[0].verdict == "equivalent" and .options.margin == 0.5'
}
check "timed: --margin" margin
more_boots()
{
	exits 0 ptelab compare tb tn --json &&
	json '.results[] | select(.bench == "fault.file") | .boots_needed > 100 and .boots_more == .boots_needed - 6' &&
	json '.results[] | select(.bench == "gup.pin_fast") | .boots_more == null' &&
	exits 0 ptelab compare tb tn --format rows && grep -q "about [0-9]* more boots a side would settle" <(tr '\n' ' ' <"$tmp/out" | tr -s ' ')
}
check "timed: inconclusive says how many more boots" more_boots
center()
{
	exits 0 ptelab compare tb tn --center mean --json && json '.options.center == "mean"' &&
	exits 0 ptelab compare tb tn --format rows --center mean && says "Ratio of means" &&
	exits 2 ptelab compare tb tn --center mode
}
check "timed: --center" center

whole_table()
{
	make_run -o tm -M timed -k 6.12.0-y -B cccc -n 6 "$timed : ns=800%1" \
		"fault.cow folio=4k : ns=500%.05" "fault.file folio=4k : ns=100%8" &&
	exits 0 ptelab compare tb tn tm --json && json 'length == 2 and all(.family.adjusted == 6)' &&
	json '[.[].results[] | select(.bench == "gup.pin_fast") | .p_adjusted] | max <= 6 * 0.0021646 and max > 4 * 0.0021645' &&
	exits 0 ptelab compare tb tn tm && grep -q "over the 6 rows" <(tr '\n' ' ' <"$tmp/out" | tr -s ' ')
}
check "timed: the family is the whole table, of several new runs" whole_table

# --- long lists, and the order of measurement ---

STARTED=1000:200 make_batches lb 5 20000 1 1 && STARTED=1100:200 make_batches ln 5 20000 1.03 2
long_lists()
{
	exits 0 ptelab compare lb ln --json && json '.results[0] | .verdict == "regression"
		and .ratio > 1.02 and .ratio < 1.04 and .batches == 200000
		and .ci_low > 1.01 and .ci_high < 1.05' && json '.notes == []' &&
	exits 0 ptelab compare lb ln --center mean --json && json '.results[0].verdict == "regression"'
}
check "lists of many batches" long_lists
# what is kept of a long list gives the same medians as all of it does
long_medians()
{
	local want got

	want=$(jq -s '[.[] | select(.type == "point") | .batches.ns | sort | (.[9999] + .[10000]) / 200] | sort' lb/*.jsonl | tr -d ' \n')
	got=$(exits 0 ptelab compare lb ln --json && jq '.results[0].base.values | sort' "$tmp/out" | tr -d ' \n')
	[ "$(jq -n "[$want, $got] | transpose | map(.[0] - .[1] | fabs) | max < 1e-9")" = true ] || { echo "$want, not $got"; return 1; }
}
check "their medians are exact" long_medians
not_in_turn()
{
	STARTED=9000:200 make_batches after 5 500 1 3 && exits 0 ptelab compare lb after --json &&
	json '.notes | any(startswith("all boots of base came before those of new"))' &&
	json '.results | all(.verdict == "inconclusive" and (.reason | startswith("confounded: all boots of base came first")))' &&
	exits 0 ptelab compare after lb --json && json '.notes | any(startswith("all boots of new came before those of base"))'
}
check "kernels that did not take turns get no timed verdict" not_in_turn
drift()
{
	STARTED=1000:200 DRIFT=.01 make_batches db 6 50 1 4 && STARTED=1100:200 DRIFT=.01 make_batches dn 6 50 1 5 &&
	exits 0 ptelab compare db dn --json && json '.notes | any(startswith("drift: gup.pin_fast ns rises"))' &&
	exits 0 ptelab compare lb ln --json && json '.notes | any(startswith("drift")) | not'
}
check "a drift over the session is told" drift
warmup()
{
	WARMUP=1.5 make_batches wb 4 60 1 6 && WARMUP=1.5 make_batches wn 4 60 1 7 && exits 0 ptelab compare wb wn --json &&
	json '.notes | any(test("^warm-up: the first batches of gup.pin_fast ns are up to (4|5)[0-9.]+% above the later ones in 8 of 8"))'
}
check "batches that still warm up are told" warmup
outliers()
{
	WARMUP=3 make_batches ob 4 100 1 8 && make_batches on 4 100 1 9 && exits 0 ptelab compare ob on --json &&
	json '.results[0] | .outliers == 40 and .batches == 800' && exits 0 ptelab compare ob on --format rows && says "none is dropped"
}
check "outliers are counted, and kept" outliers
same_interval()
{
	local a b

	a=$(ptelab compare tb tn --json | jq '.results[] | select(.bench == "fault.file") | .ci_low')
	b=$(ptelab compare tb tn -b fault.file --json | jq '.results[0].ci_low')
	[ "$a" = "$b" ] && [ "$a" != null ] || return
	b=$(ptelab compare tb tn --seed 2 --json | jq '.results[] | select(.bench == "fault.file") | .ci_low')
	[ "$a" != "$b" ]
}
check "timed: the interval depends on the seed, not on the filter" same_interval

no_time_under_emulation()
{
	make_run -o em -B aaaa 'a.b : ns=10 faults.minor=1' &&
	exits 0 ptelab compare em em --json &&
	json '[.results[].metric] == ["faults.minor"]' &&
	json '.notes | any(test("emulated clock"))'
}
check "time under emulation is never compared" no_time_under_emulation

modes_are_points()
{
	cp -r base mixed && make_run -o mixed -M race -k 6.12.0 -B aaaa -n 2 'gup.futex folio=64k : lockless_gathers=9' &&
	exits 0 ptelab compare mixed mixed --json &&
	json '[.results[] | select(.metric == "lockless_gathers" and .bench == "gup.futex") | [.mode, .base]] | sort
		== [["exact", 1], ["race", 9]]'
}
check "points of different modes are different points" modes_are_points

# --- environment ---

make_run -o gov -k 6.12.0-x -B bbbb -n 5 -e governor=powersave -e thp.64k=always "$gup : lockless_gathers=0"
refused()
{
	exits 2 ptelab compare base gov && says "governor: base (none), new powersave" "$tmp/err" &&
	says "thp.64k: base (none), new always" "$tmp/err" &&
	says "--allow governor,thp.64k" "$tmp/err" && [ ! -s "$tmp/out" ]
}
check "environment: refused, with the list" refused
allowed()
{
	exits 0 ptelab compare base gov --allow 'governor,thp.*' &&
	says "governor: base (none), new powersave" &&
	exits 0 ptelab compare base gov --allow 'governor,thp.*' --json &&
	json '.environment_differences | any(.key == "governor" and .allowed and .matters and .new == "powersave")' &&
	exits 2 ptelab compare base gov --allow governor
}
check "environment: --allow" allowed
once()
{
	make_run -o gov-mixed -k 6.12.0 -B aaaa -n 5 -e governor=powersave "$gup : lockless_gathers=16" &&
	make_run -o gov-mixed -M race -k 6.12.0 -B aaaa -n 2 -e governor=powersave 'gup.futex folio=64k : lockless_gathers=9' &&
	exits 2 ptelab compare mixed gov-mixed && says "differ in 1 way" "$tmp/err" &&
	exits 0 ptelab compare mixed gov-mixed --allow governor &&
	[ "$(grep -c "governor: base (none), new powersave" "$tmp/out")" -eq 1 ]
}
check "environment: what differs in two modes is told once" once
identity()
{
	exits 0 ptelab compare base new --json &&
	json '[.environment_differences[] | select(.matters | not) | .key] | sort == ["build_id", "kernel_release"]'
}
check "environment: the kernel's identity is told, not refused" identity
within()
{
	cp -r base within && make_run -o within -k 6.12.0 -B aaaa -s 6 -e governor=powersave "$gup : lockless_gathers=16" &&
	exits 2 ptelab compare within base && says "governor: a base boot (none), another powersave" "$tmp/err"
}
check "environment: boots of one side must agree" within
two_kernels()
{
	cp -r base two && make_run -o two -k 6.13.0 -B cccc -s 6 "$gup : lockless_gathers=16" &&
	exits 2 ptelab compare two base && says "build_id: a base boot aaaa, another cccc" "$tmp/err"
}
check "environment: boots of two kernels are no side" two_kernels
seeds()
{
	make_run -o s6 -k 6.12.0-x -B bbbb -s 2 -n 5 "$gup : lockless_gathers=0" &&
	exits 2 ptelab compare base s6 && says "seeds: base 1 2 3 4 5, new 2 3 4 5 6" "$tmp/err"
}
check "environment: seeds of exact boots" seeds
cmdline()
{
	make_run -o c1 -B aaaa -c 'BOOT_IMAGE=/vmlinuz-a console=ttyS0 nokaslr mitigations=off quiet loglevel=3' 'a.b : faults.minor=1' &&
	make_run -o c2 -B bbbb -c 'BOOT_IMAGE=/vmlinuz-b console=ttyS0 nokaslr mitigations=auto quiet loglevel=3' 'a.b : faults.minor=1' &&
	make_run -o c3 -B bbbb -c 'BOOT_IMAGE=/vmlinuz-c console=ttyS0 nokaslr mitigations=off quiet loglevel=3' 'a.b : faults.minor=1' &&
	exits 2 ptelab compare c1 c2 && says "cmdline: base has mitigations=off, new has mitigations=auto" "$tmp/err" &&
	exits 0 ptelab compare c1 c3
}
check "environment: the command line, by words, without the image" cmdline

# --- broken files ---

make_run -o cut -k 6.12.0-x -B bbbb -n 5 -t "$gup : lockless_gathers=0"
incomplete()
{
	exits 0 ptelab compare base cut && says "boot-005.jsonl: incomplete: cut short after 1 point"
}
check "an incomplete file is compared, and said" incomplete
torn()
{
	cp -r new torn && truncate -s -300 torn/boot-005.jsonl &&
	exits 0 ptelab compare base torn && says "boot-005.jsonl: incomplete"
}
check "a torn last line" torn
damaged()
{
	local f

	cp -r new bad && sed -i '3s/620.25/620.26/' bad/boot-002.jsonl &&
	exits 2 ptelab compare base bad && says "checksum does not match" "$tmp/err" || return
	for f in schema empty foreign garbage header; do
		rm -rf bad && cp -r new bad || return
		case $f in
		schema) sed -i '1s/ptelab-run-1/ptelab-run-9/' bad/boot-001.jsonl;;
		empty) : >bad/boot-001.jsonl;;
		foreign) echo '{"hello": "world"}' >bad/boot-001.jsonl;;
		garbage) head -c 4000 /dev/urandom >bad/boot-001.jsonl;;
		header) head -c 100 new/boot-001.jsonl >bad/boot-001.jsonl;;
		esac
		exits 2 ptelab compare base bad && says "ptelab: " "$tmp/err" &&
		[ "$(wc -l <"$tmp/err")" = 1 ] || return
		exits 2 ptelab show bad && exits 2 ptelab plot bad -o plots || return
	done
	exits 2 ptelab compare base nowhere && mkdir -p void && exits 2 ptelab compare base void
}
check "damaged, foreign, empty and missing files are refused in one line" damaged

# Done or refused; anything else is a crash.
done_or_refused()
{
	"$@" > "$tmp/out" 2> "$tmp/err"
	case $? in
	0|2) return 0;;
	esac
	echo "$* ended badly: $(tail -n 3 "$tmp/err" | tr '\n' ' ')"
	return 1
}

# Wrong types wherever the format does not make the reader look.
hostile()
{
	local line

	mkdir -p hostile
	while read -r line; do
		{ head -n 1 new/boot-001.jsonl; echo "$line"; } > hostile/boot-001.jsonl
		for form in text rows mail grid count markdown csv json; do
			done_or_refused ptelab compare hostile hostile --all --format $form || return
		done
		done_or_refused ptelab compare new hostile --allow seeds || return
		done_or_refused ptelab plot hostile -o hostile.d -f svg || return
		done_or_refused ptelab show hostile --json || return
		done_or_refused ptelab show hostile && narrow 80 && ascii || return
	done <<-'END'
	{"type":"point","bench":"gup.pin_fast","params":{},"status":"ok"}
	{"type":"point","bench":"gup.pin_fast","params":{},"status":"ok","counters":[1,2],"batches":7}
	{"type":"point","bench":"gup.pin_fast","params":{},"status":"ok","counters":{"ns":3,"cycles":{"per_op":"x"}}}
	{"type":"point","bench":"gup.pin_fast","params":{},"status":"ok","counters":{"cycles":{"per_op":1e308,"total":-1}}}
	{"type":"point","bench":"gup.pin_fast","params":{"a":{"b":[1]},"c":null},"status":"ok","counters":{"faults.minor":{"per_op":1}}}
	{"type":"point","bench":"gup.pin_fast","params":{"folio":"\u001b[31mred\n\u0007"},"status":"\u001b[2J","reason":"\u001b]0;x\u0007"}
	{"type":"point","bench":"x","params":{},"status":"ok","operations":0,"batches":{"instructions":["a"]},"counters":{"instructions":{"per_op":-0.0}}}
	{"type":"point","bench":"x","params":{},"status":"ok","operations":"many","absent":[],"harness":3,"proof":[1],"counters":{"":{"per_op":1}}}
	END
}
check "values of unexpected types" hostile
escapes()
{
	make_run -o esc -B aaaa $'a.b p=\e[31m : faults.minor=1' && exits 0 ptelab compare esc esc --all && ascii &&
	exits 0 ptelab show esc && ascii
}
check "nothing in a file reaches the terminal as an escape" escapes

# --- forms ---

# Points in words, their folio sizes side by side, a variant beside its point
# and events in words
answer()
{
	make_run -o a1 -B a -n 2 'notifier.upgrade folio=4k secondary=kvm backing=anon : instructions_kernel=100 kvm_zapped_leaves=0 tlbi=1' \
		'notifier.upgrade folio=2m secondary=kvm backing=anon : instructions_kernel=300 kvm_zapped_leaves=0 tlbi=1' \
		'notifier.upgrade folio=4k secondary=none backing=anon : instructions_kernel=90' \
		'notifier.mprotect folio=4k : instructions_kernel=50' &&
	make_run -o a2 -B b -n 2 'notifier.upgrade folio=4k secondary=kvm backing=anon : instructions_kernel=150 kvm_zapped_leaves=1 tlbi=3' \
		'notifier.upgrade folio=2m secondary=kvm backing=anon : instructions_kernel=330 kvm_zapped_leaves=1 tlbi=3' \
		'notifier.upgrade folio=4k secondary=none backing=anon : instructions_kernel=92' \
		'notifier.mprotect folio=4k : instructions_kernel=50' &&
	exits 0 ptelab compare a1 a2 && says 'WORSE at 3 of 4 points, +2 to +50 kernel instructions per operation,' &&
	grep -Eq '^ - secondary=kvm +100 +150 +\+50 +\+30$' "$tmp/out" &&
	says 'new: 1 KVM zap; TLBI 1 -> 3' && says 'Unchanged: notifier.mprotect.' &&
	says 'Not measured: time' && [ "$(wc -l < "$tmp/out")" -le 20 ]
}
check "text: the answer in words" answer
# A variant is a column, what follows stands below, the same is said once, and what
# is not shown is named with its delta; a small base has no ratio.
folded()
{
	local side n

	for side in f1 f2; do
		n=$([ $side = f1 ] && echo 0 || echo 1)
		make_run -o $side -B $side -n 2 "a folio=4k words=write,_VM : instructions_kernel=$((1000 + 50 * n)) notifier_start=$n notifier_end=$n" \
			"a folio=2m words=write,_VM : instructions_kernel=$((3000 + 40 * n)) notifier_start=$n notifier_end=$n" \
			"b folio=2m words=write,_hugetlb,_VM : instructions_kernel=$((2000 + 30 * n)) notifier_start=$n notifier_end=$n" \
			"c folio=4k words=next_pass_after_write,_VM : instructions_kernel=$((2 + 4000 * n)) kvm_guest_faults=$n" \
			"d folio=4k words=read : instructions_kernel=$((500 + 50 * n)) notifier_start=$n notifier_end=$n" \
			"e folio=4k words=fork : instructions_kernel=$((900 - 7 * n))" \
			"g folio=4k words=next_pass_after_munmap : instructions_kernel=5" \
			"h folio=4k words=munmap : instructions_kernel=5" || return
	done
	exits 0 ptelab compare f1 f2 && says 'MIXED: worse at 5 of 8 points, +30 to +4000 kernel instructions per' &&
	says 'operation; better at 1, -7, -0.8%. Notifier start/end pairs new (4' && silent_on 2001 &&
	grep -Eq '^ kernel instructions, 4k +f1 +f2 +delta +2m +hugetlb 2m$' "$tmp/out" &&
	grep -A 5 -Eqz '
 write
 - VM +1000 +1050 +\+50 +\+40 +\+30
     new: 1 notifier start/end pair
     the same change: read
 - next pass after it +2 +4002 +\+4000
     new: 1 stage-2 fault
' "$tmp/out" && grep -Eq '^ fork +900 +893 +-7$' "$tmp/out" && says 'Unchanged: munmap.'
}
check "text: what is alike is one line" folded
# A finding that is an error is said first, even if the kernel does less.
wrong()
{
	make_run -o w1 -B a -n 2 'a folio=4k : instructions_kernel=100 shadow_stale=0' 'b folio=4k : instructions_kernel=50' &&
	make_run -o w2 -B b -n 2 'a folio=4k : instructions_kernel=90 shadow_stale=1' 'b folio=4k : instructions_kernel=40' &&
	exits 0 ptelab compare w1 w2 && says 'WRONG at 1 of 2 points: a secondary TLB keeps entries' &&
	says 'Better at 1 of 2 points, -10 kernel' && silent_on BETTER
}
check "text: an error comes first" wrong
# both in one reading of the runs, each where it is asked for
forms_to_files()
{
	exits 0 ptelab compare a1 a2 --format mail=m --format json=j --format csv &&
	grep -q ^run,bench "$tmp/out" && jq -e .schema j >/dev/null && grep -q '^WORSE' m &&
	exits 2 ptelab compare a1 a2 --format json=/nowhere/x && says /nowhere/x "$tmp/err" &&
	exits 2 ptelab compare a1 a2 --format=nothing=x
}
check "forms: into files" forms_to_files

exits 0 ptelab compare base new --format rows
check "text: a verdict first" says "new against base: "
check "text: at most 75 columns" narrow 75
check "text: plain ASCII" ascii
check "text: counts" says " compared: "
check "text: constant parameters are said once" says "In all rows that have them:"
for form in text rows mail grid count; do
	long=$(printf 'very_long_name_%.0s' 1 2 3 4 5 6 7 8)
	rm -rf l1 l2 l3
	make_run -o l1 -k "6.12.0-$long" -B aaaa -n 2 "fam.$long folio=$long $long=$long : notifier_start.$long=123456789.25+1 faults.minor=7" \
		"fam.$long folio=2m $long=1 : notifier_start.$long=0.000001" "x.$long a=1 ! invalid $long$long $long"
	make_run -o l2 -k "6.12.0-$long" -B bbbb -n 2 "fam.$long folio=$long $long=$long : notifier_start.$long=123456989123.75+1 faults.minor=8" \
		"fam.$long folio=2m $long=1 : notifier_start.$long=1e12"
	cp -r l2 l3
	exits 0 ptelab compare l1 l2 --format $form --all
	check "$form: 75 columns with the longest names" narrow 75
	exits 0 ptelab compare l1 l2 l3 l2 l3 l2 --format $form --all
	check "$form: 75 columns with six runs" narrow 75
	exits 0 ptelab compare base new --format $form
	check "$form: 75 columns" narrow 75
done
exits 0 ptelab compare base new --format grid
check "grid: as fastpath draws it" says "+==="
check "grid: marks" says "(I) -100.00%"
exits 0 ptelab compare base new --format count -b gup.pin_fast
check "count: before" says "Before:  gup.pin_fast"
check "count: after" says "After:   gup.pin_fast"
exits 0 ptelab compare base new --format markdown
check "markdown: a table" says "|---|---|---|---:|---:|---:|---:|---|"
exits 0 ptelab compare base new --format csv
check "csv: as many cells in every line" awk -F, 'NR == 1 { n = NF } NF != n { exit 1 } END { exit NR < 10 }' "$tmp/out"
csv_quotes()
{
	make_run -o q -B aaaa 'a.b p=1,"2" : faults.minor=1' && exits 0 ptelab compare q q --format csv && says '"p=1,""2"""'
}
check "csv: quotes" csv_quotes
csv_digits()
{
	exits 0 ptelab compare tb tn --format csv && awk -F, '$2 == "fault.file" { print $9 }' "$tmp/out" > csv &&
	exits 0 ptelab compare tb tn --json && [ "$(jq '.results[] | select(.bench == "fault.file") | .base.median' "$tmp/out")" = "$(jq . csv)" ]
}
check "csv: the same number as in JSON" csv_digits
markdown_fence()
{
	make_run -o fence -B aaaa 'a.b p=1 : faults.minor=1' 'a.b p=```` ! failed so' && exits 0 ptelab compare fence fence --format markdown &&
	[ "$(grep -cx '`````' "$tmp/out")" = 2 ]
}
check "markdown: no parameter ends the code block" markdown_fence
exits 0 ptelab compare base new new --json
check "json: an array for several runs" json 'type == "array" and length == 2 and .[1].schema == "ptelab-compare-1"'
exits 0 ptelab compare base new --all
check "--all shows equal values" says " equal"
exits 0 ptelab compare base new -b 'gup.*:folio=64k' -m 'lockless_*' --json
check "-b and --metric filter" json '[.results[].metric] | unique == ["lockless_gathers", "lockless_retries"]'

# --- colour ---

# terminal COMMAND...: what it prints to a terminal, without progress
terminal()
{
	TERM=xterm script -qec "$* 2> /dev/null" /dev/null < /dev/null > "$tmp/out"
}

esc=$(printf '\033')
coloured()
{
	terminal "$PTELAB" compare base new --format rows && says "${esc}[32mimprovement${esc}[0m" && says "${esc}[31mregression${esc}[0m" &&
	terminal "$PTELAB" compare base new && says "${esc}[1m${esc}[31mWRONG${esc}[0m"
}
plain()
{
	terminal NO_COLOR=1 "$PTELAB" compare base new --format rows && says improvement && silent_on "$esc" &&
	terminal TERM=dumb "$PTELAB" compare base new && says WRONG && silent_on "$esc" &&
	terminal "$PTELAB" compare base new --format rows=colourless ">" /dev/null && silent_on "$esc" colourless &&
	exits 0 ptelab compare base new && says WRONG && silent_on "$esc"
}
if command -v script > /dev/null; then
	check "colour on a terminal" coloured
	check "no colour in files and pipes, or with NO_COLOR" plain
else
	skip "colour" "needs script"
fi

# --- exit codes ---

check "--fail-on regression" exits 1 ptelab compare base new --fail-on regression
check "--fail-on regression: none" exits 0 ptelab compare base new --fail-on regression -m lockless_gathers
check "--fail-on difference" exits 1 ptelab compare base new --fail-on difference -m lockless_gathers
check "--fail-on finding" exits 1 ptelab compare base new --fail-on finding
check "--fail-on finding: an improvement is none" exits 0 ptelab compare base new --fail-on finding -m lockless_gathers
check "--fail-on finding: none" exits 0 ptelab compare base base --fail-on finding
fails_itself_on()
{
	make_run -o zaps -B a -n 3 'a.b : kvm_unnecessary=1 kvm_unnecessary.clear=1 shadow_stale=1 forbidden_outcomes=1' &&
	exits 0 ptelab compare zaps zaps --fail-on "$1" --format rows && says "this change does not cause it"
}
check "--fail-on finding: none that is on both sides" fails_itself_on finding
# a run against itself has nothing to fail on, whatever its kind
not_itself()
{
	local run

	for run in zaps base tb tb3 race-base; do
		exits 0 ptelab compare $run $run --fail-on regression,difference,finding,missing,failed,inconclusive,not-exercised || return
	done
}
make_run -o race-base -M race -B a -n 3 'gup.futex : lockless_retries=1+1' 'fault.file ! failed so'
check "--fail-on anything: not a run against itself" not_itself
# what broke is no success, though the one row that is left is equal
broken()
{
	make_run -o sound -B a -n 3 'a.b : faults.minor=1' 'c.d : faults.minor=1' 'e.f : faults.minor=1' &&
	make_run -o fails -B b -n 3 'a.b : faults.minor=1' 'c.d ! failed so' 'e.f : faults.minor=1' &&
	make_run -o lacks -B b -n 3 'a.b : faults.minor=1' 'c.d : faults.minor=1' &&
	exits 0 ptelab compare sound fails --fail-on regression,missing && exits 1 ptelab compare sound fails --fail-on regression,failed &&
	exits 0 ptelab compare sound lacks --fail-on regression,failed && exits 1 ptelab compare sound lacks --fail-on missing &&
	exits 1 ptelab compare tb3 tn3 --fail-on regression --fail-on inconclusive
}
check "--fail-on missing, failed, inconclusive" broken
allowed()
{
	make_run -o low -B a -n 3 'a.b : instructions_kernel=1000 kvm_zap_calls=1' && make_run -o high -B b -n 3 'a.b : instructions_kernel=1009 kvm_zap_calls=1' &&
	exits 1 ptelab compare low high --fail-on regression && exits 0 ptelab compare low high --fail-on regression --allow-change 'kvm*=0,instructions*=+1%' &&
	exits 1 ptelab compare low high --fail-on regression --allow-change 'instructions*=8' && exits 0 ptelab compare low high --fail-on difference --allow-change 'instructions*=9' &&
	exits 2 ptelab compare low high --allow-change 'instructions*' && says "takes METRIC=LIMIT" "$tmp/err" && exits 2 ptelab compare low high --allow-change 'x=1kg'
}
check "--allow-change: up to a limit" allowed
check "nothing to compare" exits 2 ptelab compare base new -b nothing
check "nothing to compare: -b matches nothing" says "-b 'nothing' matches nothing" err
check "nothing to compare: no table" test ! -s out
exits 2 ptelab compare base new -m lockless_gater
check "nothing to compare: which metric may be meant" says "-m 'lockless_gater' matches nothing in these runs; did you mean" err
unlike()
{
	make_run -o other-way -M timed -k 6.12.0 -n 2 'gup.pin_fast folio=64k : ns=5' && exits 2 ptelab compare base other-way &&
	says "base is exact" err && says "other-way is timed" err && [ "$(wc -l < err)" = 1 ]
}
check "nothing to compare: what differs" unlike
unmeasured()
{
	make_run -o without -k 6.12.0 -n 5 'harness.empty : instructions_kernel=5' 'gup.pin_fast folio=64k ! unavailable no' &&
	exits 2 ptelab compare base without && says "no point was measured in without" err
}
check "nothing to compare: a side measured nothing" unmeasured
check "-q: an exit code and no table" exits 1 ptelab compare -q base new --fail-on regression
check "-q: no table" test ! -s out
check "bad usage: one run" exits 2 ptelab compare base
check "bad usage: form" exits 2 ptelab compare base new --format tex
check "bad usage: margin" exits 2 ptelab compare base new --margin 0
check "bad usage: condition" exits 2 ptelab compare base new --fail-on x
check "--help" exits 0 ptelab compare --help
check "--help has examples" says "Examples:"
