#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# bt.sh: a line of bpftrace as a counter, in the emulated machine: ptelab's BPF
# programs, the module and bpftrace count the same, and compare judges it.
# run: needs base notify-upgrade-range root
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=trace.sh
. "$(dirname "$0")/trace.sh"

need_lab bt mmdebstrap
need_kernel --series notify-upgrade-range
patched=$kernel
need_kernel
need_module
build_guest build/arm64/tests/bpf/trigger
if ! scripts/lab/root > "$tmp/root" 2> "$tmp/err"; then
	skip bt "$(tail -n 1 "$tmp/err")"
	exit 0
fi

point='-b notifier.upgrade:folio=4k:secondary=module -n 20'
run="ptelab run -q -o - --seed @SEED@ --batches 1 --warmup 0 --counted 2"
# shellcheck disable=SC2016
starts='kprobe:__mmu_notifier_invalidate_range_start /pid == $1/ { @starts = count(); @by[comm] = count(); @never[comm, tid] = hist(1); }'
cat > "$tmp/job" <<END
# root: bpftrace
$run $point --counter bpf --better lower --bt '$starts'
END
cat > "$tmp/job.base" <<END
$(cat "$tmp/job")
$run $point --counter none --bt '/bt/notifier_who.bt 0'
ptelab trace --json -o - -e notifier_start --bt '$starts' -- /bin/trigger vm reprotect 3
END
cat > "$tmp/job.patched" <<END
$(cat "$tmp/job")
$run -b notifier.mprotect:folio=4k:secondary=module -n 20 --counter kmod --bt '$starts'
END
# boot SIDE KERNEL: its runs in $tmp/SIDE-1.jsonl and so on
boot()
{
	mkdir -p "$tmp/$1"
	if ! scripts/lab/boot --image "$2/Image" --ptelab build/arm64/ptelab --job "$tmp/job.$1" \
			--out "$tmp/$1/boot.jsonl" --module "$module" \
			--file bpf/notifier_who.bt:bt/notifier_who.bt \
			--file build/arm64/tests/bpf/trigger:bin/trigger > "$tmp/end" 2>&1; then
		not_ok "boot-$1" "$(tail -n 1 "$tmp/end")"
		exit 1
	fi
	awk -v stem="$tmp/$1-" '/"type":"header"/ { out = stem (++n) ".jsonl" }
		/"schema":"ptelab-trace/ { out = stem "trace" } { print > out }' "$tmp/$1/boot.jsonl"
}
boot base "$kernel"
kernel=$patched
need_module
boot patched "$patched"

# total RUN METRIC: of the point
total()
{
	jq -r --arg m "$2" 'select(.bench == "notifier.upgrade") | .counters[$m].total // "-"' "$tmp/$1.jsonl"
}
# A permission upgrade: no start on the base, one with the patches.
equal bpf-and-bpftrace "$(total base-1 notifier_start)/$(total base-1 bt.starts)" 0/0
equal patched-bpf-and-bpftrace "$(total patched-1 notifier_start)/$(total patched-1 bt.starts)" 40/40
# The module counts by event those that it knows; the event of the patches is none.
equal patched-module-and-bpftrace "$(jq -rs '[.[] | select(.bench == "notifier.mprotect" and .status == "ok") |
	.counters | [([to_entries[] | select(.key | startswith("notifier_start.")) | .value.total] | add),
		.["bt.starts"].total]] | "\(all(.[0] == .[1])) \(any(.[0] > 0))"' "$tmp/patched-2.jsonl")" "true true"
equal keys-are-metrics "$(total patched-1 bt.by.ptelab)" 40
equal script-of-bpf "$(jq -r 'select(.bench == "notifier.upgrade") | .status' "$tmp/base-2.jsonl")" ok
build/native/ptelab compare "$tmp/base-1.jsonl" "$tmp/patched-1.jsonl" --allow config_hash \
	--format json > "$tmp/compare.json" 2> "$tmp/err"
equal verdict "$(jq -r '.results[] | select(.metric == "bt.starts" and .bench == "notifier.upgrade") |
	"\(.base) \(.new) \(.verdict)"' "$tmp/compare.json")" "0 1 regression"
# Read-only and writable again, three times, and the end of the process
equal trace "$(jq -r '[.counters["notifier_start", "bt.starts"].count] | join(" ")' "$tmp/base-trace")" "7 7"
