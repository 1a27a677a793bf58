#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# programs.sh: ptelab trace of real programs, Debian's stress-ng and QEMU with a
# KVM guest that boots Linux, inside the emulated machine.
# run: needs base programs
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=trace.sh
. "$(dirname "$0")/trace.sh"

need_lab trace-programs mmdebstrap
need_kernel
build_guest build/arm64/ptelab

# The fourth fails, and the job with it: its exit status is passed on.
cat > "$tmp/job" <<'END'
ptelab trace --json -o - -- /usr/bin/stress-ng --quiet --vm-splice 1 --vm-splice-ops 200
ptelab trace --json -o - -- /usr/bin/stress-ng --quiet --fork 2 --fork-ops 50
ptelab trace --json -o - -I 10 -e faults.minor -- /usr/bin/stress-ng --quiet --fault 1 --fault-ops 100
ptelab trace --json -o - -- /usr/bin/stress-ng --nonesuch
ptelab trace --json -o - -- /usr/bin/qemu-system-aarch64 -M virt,gic-version=3 -cpu host -enable-kvm -m 128 -kernel /Image -append 'console=ttyAMA0 panic=-1' -nodefaults -display none -serial stdio -no-reboot
END
tests/bpf/boot-root --programs "$kernel/Image" build/arm64/ptelab "$tmp/job" \
	"$tmp/all.jsonl" "$kernel/Image:Image" > "$tmp/end" 2>&1
if ! grep -q '^done ' "$tmp/end"; then
	not_ok boot "$(tail -n 1 "$tmp/end")"
	exit 1
fi
equal status-of-the-command-passed-on \
	"$(grep -o 'code=.* failed_line=[0-9]*' "$tmp/end")" "code=1 failed_line=4"
# The programs say things too.
grep '"schema":"ptelab-trace' "$tmp/all.jsonl" > "$tmp/out.jsonl"
equal all-were-traced "$(wc -l < "$tmp/out.jsonl")" 5
equal nothing-absent-or-doubtful \
	"$(jq -c '[.absent | keys[]], .warning' "$tmp/out.jsonl" | sort -u | xargs)" "[] null"

# 16 pages a call
equal stress-ng-vm-splice-calls "$(value 1 gup_fast_calls)" 200
equal stress-ng-vm-splice-pages "$(value 1 gup_fast_pages)" 3200
# What it costs to say that there is no such option, and each of the children.
alone=$(value 4 faults.minor)
check stress-ng-children-included test "$(value 2 faults.minor)" -gt $((alone + 50 * 10))
check stress-ng-faults test "$(value 3 faults.minor)" -gt $((alone + 100))
equal stress-ng-intervals-add-up "$(jq -s 'map(.counts["faults.minor"] // 0) | add' \
	<(grep '"at":' "$tmp/all.jsonl"))" "$(value 3 faults.minor)"

check qemu-guest-boots grep -q 'Linux version' "$tmp/all.jsonl"
check qemu-stage-2-maps test "$(value 5 s2_maps.normal)" -gt 1000
check qemu-guest-faults test "$(value 5 kvm_guest_faults)" -ge "$(value 5 s2_maps.normal)"
check qemu-gup test "$(value 5 gup_fast_calls)" -gt 0
check qemu-notifiers test "$(value 5 notifier_start.clear)" -gt 0
starts=$(sed -n 5p "$tmp/out.jsonl" |
	jq '[.counters | to_entries[] | select(.key | startswith("notifier_start.")) | .value.count] | add')
equal qemu-every-start-has-its-end "$starts" "$(value 5 notifier_end)"
