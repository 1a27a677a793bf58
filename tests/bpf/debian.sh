#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# debian.sh: Debian's own arm64 kernels, as Debian builds them, in the emulated
# machine: what ptelab trace counts of known work, whether the retry sites are
# right, and whether ptelab.ko builds, loads and works.
#
#	KERNELS="6.1 6.12 newest"	which
#	MODULE_SECONDS=120	a module that the cache does not have is
#					not built once so many seconds are over:
#					headers and compiler are 100 MB a kernel
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=trace.sh
. "$(dirname "$0")/trace.sh"

: "${KERNELS:=6.1 6.12 newest}" "${MODULE_SECONDS:=120}"

need_lab debian-kernels
if ! tests/bpf/retry-shapes --step "$tmp/shapes" > "$tmp/build" 2>&1; then
	not_ok retry-step "$(tail -n 1 "$tmp/build")"
	exit 1
fi
build_guest build/arm64/tests/bpf/trigger

# On every kernel; then with contpte and a page-table walker that is understood;
# then without.
cat > "$tmp/cases" <<'END'
trigger futex 300|gup_fast_calls=300 gup_fast_pages=300 gup_slow_pages=0 notifier_end=0
trigger slow 100|gup_fast_calls=100 gup_fast_pages=0 gup_slow_pages=100
trigger partly 7|gup_fast_calls=7 gup_fast_pages=35 gup_slow_pages=77
trigger vm reprotect 3|notifier_start.protection_vma=6 kvm_zap_calls=6 kvm_zapped_leaves=1536 s2_maps.normal=2051 s2_maps.device=0
END
cat > "$tmp/new" <<'END'
futex|lockless_gathers=GATHERS300 lockless_retries=0 contpte_folds=0
slow|
partly|
vm|kvm_refaults=1536 kvm_refaults_same_pfn=1536
END
cat > "$tmp/old" <<'END'
futex|lockless_gathers=- lockless_retries=- contpte_folds=- contpte_unfolds=-
slow|
partly|
vm|kvm_refaults=- kvm_refaults_same_pfn=-
END

# absent LINE METRIC: why.
absent()
{
	sed -n "$1p" "$tmp/out.jsonl" | jq -r ".absent[\"$2\"] // \"it is there\""
}

# find_module WANT NAME: sets $module and $args, if it can be had.
find_module()
{
	local name=$2 out

	module='' args=()
	if [ "$SECONDS" -gt "$MODULE_SECONDS" ] &&
	   ! scripts/lab/debian-kernel --module --cached "$1" > /dev/null 2>&1; then
		skip "$name-module" "the $MODULE_SECONDS s for building modules are over; MODULE_SECONDS= gives more"
	elif out=$(scripts/lab/debian-kernel --module "$1" 2> "$tmp/module"); then
		ok "$name-module-builds"
		module=$out args=(--module "$out")
	elif grep -q 'cannot fetch\|cannot be had\|unshare' "$tmp/module"; then
		skip "$name-module" "$(tail -n 1 "$tmp/module")"
	else
		not_ok "$name-module-builds" "$(tail -n 1 "$tmp/module")"
	fi
}

# try WANT DIR: the kernel of that version, which is in the cache.
try()
{
	local want=$1 dir=$2 name module args

	name=debian-$(jq -r .release "$dir/manifest.json")
	find_module "$want" "$name"
	{
		cases_job "$tmp/cases"
		echo "trigger attach 123"
		echo "retry_step --running"
		echo "ptelab trace --explain-retry"
		[ -z "$module" ] ||
			echo "ptelab run -o - --batches 1 --warmup 0 --counted 1 --ops 4 -b notifier.mprotect -p secondary=module"
	} > "$tmp/job"
	scripts/lab/boot --image "$dir/Image" --job "$tmp/job" \
		--ptelab build/arm64/ptelab --out "$tmp/out.jsonl" \
		--file build/arm64/tests/bpf/trigger:bin/trigger \
		--file "$tmp/shapes/retry_step:bin/retry_step" \
		"${args[@]+"${args[@]}"}" > "$tmp/end" 2>&1
	if ! grep -q '^done ' "$tmp/end"; then
		not_ok "$name-boots" "$(tail -n 1 "$tmp/end")"
		return
	fi
	ok "$name-boots"
	check_cases "$name" "$tmp/cases" 1
	equal "$name-attached" "$(value 5 gup_fast_calls)" 123
	equal "$name-faults" "$(value 5 faults.minor)" 123
	if [[ $name == debian-6.1.* ]]; then
		check_cases "$name" "$tmp/old" 1
		check "$name-no-contpte" grep -q 'has no function contpte_' \
			<(absent 1 lockless_gathers)
		check "$name-no-refaults" grep -q 'takes 6 arguments' \
			<(absent 4 kvm_refaults)
		check "$name-no-retry-sites" grep -q '^skip .*has no function' "$tmp/out.jsonl"
	else
		check_cases "$name" "$tmp/new" 1
		check "$name-retries-counted-exactly" grep -q \
			'^ok   contpte_ptep_get_lockless: [1-9]' "$tmp/out.jsonl"
		check "$name-explains" grep -Eq '^retries = ' "$tmp/out.jsonl"
	fi
	check "$name-nothing-missed" sh -c "! grep -q '\"missed\"' '$tmp/out.jsonl'"
	[ -z "$module" ] || check "$name-module-works" \
		jq -e 'select(.type? == "point" or .bench?) | select(.bench == "notifier.mprotect") | .status == "ok"' \
		<(grep '"notifier.mprotect"' "$tmp/out.jsonl")
}

tried='' dirs=()
for k in $KERNELS; do
	if dir=$(scripts/lab/debian-kernel "$k" 2> "$tmp/fetch"); then
		tried="$tried${tried:+, }$(jq -r .source "$dir/manifest.json")"
		dirs+=("$k $dir")
	else
		skip "debian-$k" "$(tail -n 1 "$tmp/fetch")"
	fi
done
for k in ${dirs[@]+"${dirs[@]}"}; do
	try "${k%% *}" "${k#* }"
done
note debian-kernels "tried: ${tried:-none} ($SECONDS s)"
