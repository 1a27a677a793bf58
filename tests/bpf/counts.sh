#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# counts.sh: things done a known number of times, and what ptelab trace counts.
# PTELAB_KERNELS: other kernels' Images to try too.
# run: needs base
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=trace.sh
. "$(dirname "$0")/trace.sh"

need_lab trace-counts
need_kernel
build_guest build/arm64/tests/bpf/trigger

cat > "$tmp/cases" <<'END'
trigger futex 300|gup_fast_calls=300 gup_fast_pages=300 gup_slow_pages=0 lockless_gathers=GATHERS300 lockless_retries=0 notifier_end=0
trigger slow 100|gup_fast_calls=100 gup_fast_pages=0 gup_slow_pages=100 lockless_gathers=0
trigger partly 7|gup_fast_calls=7 gup_fast_pages=35 gup_slow_pages=77
trigger vm soft_dirty 7|notifier_start.soft_dirty=7 notifier_start.other=0 kvm_zapped_leaves=515 kvm_refaults=0
trigger vm soft_dirty 50|notifier_start.soft_dirty=50
trigger vm reprotect 3|notifier_start.protection_vma=6 kvm_zapped_leaves=1536 kvm_zapped_blocks=0 kvm_refaults=1536 kvm_refaults_same_pfn=1536 kvm_zapped.protection_vma=1536 kvm_zapped.clear=0 kvm_refaults_same_pfn.protection_vma=1536 kvm_unnecessary=0 s2_maps.normal=2051 s2_maps.nc=0 s2_maps.device=0
trigger vm allow 3|notifier_start.protection_vma=6 kvm_zapped_leaves=3072 kvm_refaults_same_pfn=3072 kvm_unnecessary=1536 kvm_unnecessary.protection_vma=1536 kvm_unnecessary.other=0
trigger vm discard 3|notifier_start.clear=3 kvm_zap_calls=3 kvm_zapped_leaves=1536 kvm_refaults=1536 kvm_refaults_same_pfn=1024 kvm_zapped.clear=1536 kvm_refaults_same_pfn.clear=1024 kvm_unnecessary=0
trigger vm|kvm_zapped_leaves=0 kvm_refaults=0 s2_maps.normal=515 kvm_guest_faults=516
trigger children 5|gup_fast_calls=150
trigger blocked 40|gup_fast_calls=80 gup_fast_pages=40 gup_slow_pages=40
END
{
	cases_job "$tmp/cases"
	echo "trigger attach 123"
	echo "trigger noise"
	echo "ptelab trace --json -o - -- trigger futex 300"
	echo "ptelab trace --json -o - -a -e gup_fast_calls -- trigger futex 300 touch 20000"
	# A program's start takes a fault more or less by where its stack
	# happens to be; at the same place, always the same.
	echo "trigger fixed ptelab trace --json -o - -e faults.minor -- trigger touch 1000"
	echo "trigger fixed ptelab trace --json -o - -e faults.minor -- trigger touch 3000"
	# Without fentry a return is seen by a kretprobe, which can follow few
	# calls at a time: what it misses is told.
	echo "trigger ftrace 0"
	echo "ptelab trace --json -o - -- trigger blocked 40"
	echo "trigger ftrace 1"
	echo "ptelab trace --json -o - -I 20 -e gup_fast_calls -- trigger futex 100000"
} > "$tmp/job"

run_on()
{
	local name=$1 image=$2 line got a b

	if ! scripts/lab/boot --image "$image" --job "$tmp/job" \
			--ptelab build/arm64/ptelab --out "$tmp/out.jsonl" \
			--file build/arm64/tests/bpf/trigger:bin/trigger \
			> "$tmp/end" 2>&1; then
		not_ok "$name-boot" "$(tail -n 1 "$tmp/end")"
		return
	fi
	check_cases "$name" "$tmp/cases" 1
	line=$(wc -l < "$tmp/cases")
	equal "$name-attached-to-a-process" "$(value $((line + 1)) gup_fast_calls)" 123
	equal "$name-faults-of-a-process" "$(value $((line + 1)) faults.minor)" 123
	equal "$name-others-not-counted" "$(value $((line + 2)) gup_fast_calls)" 300
	got=$(value $((line + 3)) gup_fast_calls)
	if [ "$got" -gt 300 ] 2> /dev/null; then
		ok "$name-whole-machine-counts-others"
	else
		not_ok "$name-whole-machine-counts-others" "$got"
	fi
	a=$(value $((line + 4)) faults.minor)
	b=$(value $((line + 5)) faults.minor)
	equal "$name-faults" $((b - a)) 2000
	a=$(sed -n "$((line + 6))p" "$tmp/out.jsonl")
	equal "$name-without-fentry" "$(value $((line + 6)) gup_fast_calls)" 80
	check "$name-without-fentry-kprobes" grep -q \
		'"attached":"kprobe gup_fast_fallback"' <<< "$a"
	# Each call that was missed may have had its page, or left it.
	b=$(jq '.counters.gup_fast_pages.missed' <<< "$a")
	check "$name-missed-hits-are-told" test "$b" -ge 30
	check "$name-missed-hits-of-that-only" test \
		"$(grep -o '"missed"' <<< "$a" | wc -l)" = 1
	# The intervals, one a line, add up to the total, on the last line.
	a=$(sed -n "$((line + 7)),\$p" "$tmp/out.jsonl" | grep '"at"' |
		grep -o '"gup_fast_calls":[0-9]*' | cut -d: -f2 | paste -sd+ | bc)
	b=$(value '$' gup_fast_calls)
	equal "$name-intervals-add-up" "$a" "$b"
	check "$name-nothing-else-missed" test "$(grep -c '"missed"' "$tmp/out.jsonl")" = 1
}

run_on base "$kernel/Image"
for image in ${PTELAB_KERNELS:-}; do
	run_on "$(basename "$image")" "$image"
done
