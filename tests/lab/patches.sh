#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# make ab with patches whose effect is known beforehand, and no job given: the
# points that can show it are chosen, the answer is the right one, and where
# nothing runs the change it says so.
# run: builds
# run: part notify-twice base
# run: part zap-memslot base
# run: part nops base
# run: part unrun base
# run: part behind base
# shellcheck disable=SC2016
set -uo pipefail
. "$(dirname "$0")/../lib.sh"
cd "$top" || exit 1
unset_make_vars
need_lab patches.sh jq

runs=()
trap 'rm -rf "$tmp" "${runs[@]}"' EXIT

# One boot of each kernel where every boot takes minutes
declare -A seeds=([zap-memslot]=1)

# ab PATCH: leaves the folder of its results in $run, its compare.json in $json
ab()
{
	run=runs/test-$1.$$
	json=$run/compare.json
	runs+=("$run" "$run.new")
	if scripts/ab PATCHES="tests/lab/patches/$1.patch" NAME="test-$1.$$" SEEDS="${seeds[$1]:-1 2}" TIMEOUT=900 > "$tmp/$1.log" 2>&1; then
		ok "$1: make ab"
	else
		not_ok "$1: make ab" "$(tail -n 1 "$tmp/$1.log")"
		return 1
	fi
}

is_difference='def differs: .verdict | IN("regression", "improvement", "changed");'
names='[.changes.functions[] | .name | sub("\\.(isra|constprop)\\..*"; "")]'

# start and end twice: costs only with a listener
part_notify-twice()
{
	holds "notify-twice: one function changed, and it ran" \
		"$names == [\"change_protection\"] and (.exercised | startswith(\"exercised\"))"
	holds "notify-twice: listeners are called twice" \
		'[.results[] | select(.metric == "notifier_start.protection_vma" and .base != 0)] |
			length > 0 and all(.ratio == 2 and .verdict == "regression")'
	holds "notify-twice: KVM is asked twice" \
		'[.results[] | select(.metric == "kvm_zap_calls" and .bench == "notifier.mprotect" and .base != 0)] |
			length > 0 and all(.ratio == 2 and .verdict == "regression")'
	# With two boots a side one in 25 tables has a row by luck.
	check "notify-twice: the answer is worse" grep -Eq '^(WORSE|MIXED)' "$run/answer.txt"
}

# all of a slot unmapped for one page
part_zap-memslot()
{
	holds "zap-memslot: points with a VM were chosen, and are worse" \
		"$is_difference"' [.results[] | select(.params.secondary == "kvm" and .metric == "instructions_kernel" and differs)] |
			length > 0 and any(.verdict == "regression")'
	holds "zap-memslot: the changed code ran" '.exercised == "exercised"'
	check "zap-memslot: the answer says so" grep -Eq '^(WORSE|MIXED)' "$run/answer.txt"
}

# five instructions for each page that khugepaged copies, five for each entry
# that GUP-fast reads
part_nops()
{
	holds "nops: two functions" "($names | sort) == [\"collapse_huge_page\", \"gup_fast_fallback\"]"
	holds "nops: 5 an entry of GUP-fast, exactly" \
		"$is_difference"' [.results[] | select(.bench == "gup.fast" and .metric == "instructions_kernel" and
			.params.folio != "2m" and (.params.racer // "none") == "none")] | length > 0 and
			all(.verdict == "regression" and .cause.changed_code == 5 * .params.pages)'
	holds "nops: 2,560 a collapse of small pages" \
		'[.results[] | select(.bench == "notifier.collapse" and .metric == "instructions_kernel" and
			.params.folio == "4k" and .params.measure == "op")] | length > 0 and
			all(.verdict == "regression" and .cause.changed_code == 2560)'
	holds "nops: nothing differs where the changed code does not run" \
		"$is_difference"' [.results[] | select(differs and .cause and .cause.changed_code == 0 and
			(.metric | startswith("instructions")))] == []'
	check "nops: the answer is worse" grep -Eq '^(WORSE|MIXED)' "$run/answer.txt"
}

# what no benchmark calls; data; a file that is not built
part_unrun()
{
	# Boot calls strrchr(), and the set-up of points mincore().
	holds "unrun: not by any point" '.exercised == "ran outside" and
		([.changes.functions[] | .ran] == ["ran outside", "ran outside"])'
	holds "unrun: each file has its state" \
		'[.changes.patch[] | {(.file): .state}] | add ==
			{"mm/mincore.c": "changed", "arch/arm64/lib/strrchr.S": "changed",
			 "mm/vmstat.c": "changed", "mm/zswap.c": "not built"}'
	holds "unrun: the option that would build it" \
		'[.changes.patch[] | select(.file == "mm/zswap.c") | .option] == ["CONFIG_ZSWAP"]'
	holds "unrun: the data" '[.changes.data[].name] == ["sysctl_stat_interval"]'
	holds "unrun: no row differs" "$is_difference [.results[] | select(differs)] == []"
	check "unrun: the answer says so, and not that nothing differs" \
		sh -c "grep -q '^NOT EXERCISED' '$run/answer.txt' && ! grep -qi 'no difference' '$run/answer.txt'"
	check "unrun: the function is named" grep -q 'mincore_pte_range' "$run/answer.txt"
	build/native/ptelab compare "$run" --fail-on not-exercised > /dev/null
	equal "unrun: --fail-on" $? 1
}

# behind a CPU feature that this one lacks, and in an inline function
part_behind()
{
	holds "behind: several functions have the inline function" \
		"$names | index(\"copy_highpage\") and length > 2"
	holds "behind: the feature is named" \
		'[.changes.functions[] | select(.name == "copy_highpage") | .behind // ""] | any(test("MOPS"))'
	holds "behind: the rest ran" '.exercised == "exercised in part"'
}

[ $# -gt 0 ] || set -- notify-twice zap-memslot nops unrun behind
for part; do
	! ab "$part" || "part_$part"
done
