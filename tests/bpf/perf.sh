#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# perf.sh: Debian's perf in the emulated machine: ptelab run --perf, and the
# commands that ptelab trace --perf-args prints, which count what trace counts.
# run: needs base perf
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=trace.sh
. "$(dirname "$0")/trace.sh"

need_lab perf-in-the-guest mmdebstrap
need_kernel
build_guest build/arm64/tests/bpf/trigger
if ! scripts/lab/root perf > "$tmp/root" 2> "$tmp/err"; then
	skip perf-in-the-guest "$(tail -n 1 "$tmp/err")"
	exit 0
fi

# What a user types (-a: the last notifier call, when the process has ended, is
# by another task): runs what --perf-args prints, and prints perf's counts
cat > "$tmp/same.sh" <<'END'
PATH=/bin:/usr/bin
ptelab trace --json -o - $3 -e "$1" -- trigger $2
ptelab trace -q --perf-args $3 -e "$1" -- trigger $2 > /tmp/commands
busybox sed -i 's|perf stat|perf stat -x, -o /tmp/counts|' /tmp/commands
. /tmp/commands > /tmp/said 2>&1 || busybox cat /tmp/said
busybox sed 's/^/perf: /' /tmp/commands /tmp/counts
END
events='notifier_start,notifier_end,gup_fast_calls,kvm_unmap_hva'
cat > "$tmp/job" <<END
# root: perf
ptelab run -q -o - --seed @SEED@ --batches 3 --warmup 1 --counted 0 -n 20 -b fault.anon_write:folio=4k --perf 'stat -e page-faults,instructions:k'
/bin/sh /same.sh $events 'vm reprotect 3 discard 2' -a
/bin/sh /same.sh $events 'futex 300'
END
if ! scripts/lab/boot --image "$kernel/Image" --ptelab build/arm64/ptelab --job "$tmp/job" --out "$tmp/out.jsonl" \
		--file "$tmp/same.sh:same.sh" --file build/arm64/tests/bpf/trigger:bin/trigger > "$tmp/end" 2>&1; then
	not_ok perf-boot "$(tail -n 1 "$tmp/end")"
	exit 1
fi
grep -v '^[^{]' "$tmp/out.jsonl" > "$tmp/json"

# One fault an operation, and of the empty batch only what enabling costs
equal faults "$(jq -r 'select(.bench == "fault.anon_write").counters["perf.page-faults"] | "\(.per_op) \(.total)"' "$tmp/json")" "1 60"
equal none-in-an-empty-batch "$(jq -r 'select(.bench == "harness.empty").counters["perf.page-faults"].total' "$tmp/json")" 0
equal instructions "$(jq -r 'select(.bench == "fault.anon_write").counters |
	(.["perf.instructions_k"].per_op - .instructions_kernel.per_op) | . > 0 and . < 2000' "$tmp/json")" true
equal timed-tier "$(jq -r 'select(.type == "header").metrics["perf.page-faults"].kind' "$tmp/json")" tool

# ours NR METRIC, theirs NR METRIC: of the NRth pair of commands
ours()
{
	jq -s --argjson nr "$1" --arg m "$2" '[.[] | select(.schema == "ptelab-trace-1")][$nr].counters[$m].count' "$tmp/json"
}
theirs()
{
	awk -v nr="$1" '/ptelab-trace-1/ { n++ } n == nr + 1 && sub(/^perf: /, "")' "$tmp/out.jsonl" |
		awk -F, -v m="$2" '$1 ~ /^[0-9]+$/ && ($3 ~ m "$" || $3 ~ ":ptelab_" m) { print $1 }'
}
for nr in 0 1; do
	for m in notifier_start notifier_end gup_fast_calls kvm_unmap_hva; do
		name=$m
		[ $m != kvm_unmap_hva ] || name='(kvm_unmap_hva|kvm_unmap_hva_range)'
		equal "perf-args-$nr-$m" "$(theirs $nr "$name")" "$(ours $nr $m)"
	done
done
check something-was-counted test "$(ours 0 notifier_start)" -ge 8 -a "$(ours 0 kvm_unmap_hva)" -ge 8 -a "$(ours 1 gup_fast_calls)" = 300
