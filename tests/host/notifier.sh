#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The notifier family on this machine's own kernel: every benchmark proves
# itself, says why it can't, or says what is wrong with what it was asked; and
# whatever ends it, no swap device, setting or hugetlb page stays behind.
# run: here
set -uo pipefail
. "$(dirname "$0")/../lib.sh"
cd "$top" || exit 1
ptelab=$top/build/native/ptelab
thp=/sys/kernel/mm/transparent_hugepage
huge=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages

if [ "$(id -u)" -ne 0 ]; then
	skip "notifier" "needs root"
	exit 0
fi
need_proofs "notifier"

# What must be the same afterwards, one kind of things at a time: other tests
# may be changing the others.
state()
{
	case $1 in
	swap) cat /proc/swaps /sys/block/zram*/{initstate,disksize} ;;
	pool) cat /sys/kernel/mm/hugepages/*/nr_hugepages ;;
	ksm) cat /sys/kernel/mm/ksm/{run,pages_to_scan,sleep_millisecs,smart_scan} ;;
	thp) cat $thp/enabled $thp/hugepages-*/enabled ;;
	esac 2>/dev/null
}

machine()
{
	state swap
	state pool
	state ksm
}

# measure NAME ARGS...: each point is ok or says why it can't be had; the run
# is left in $tmp/NAME.jsonl.
measure()
{
	local name=$1 bad

	shift
	"$ptelab" run -q --batches 2 --warmup 1 --counted 1 "$@" \
		-o "$tmp/$name.jsonl" > /dev/null 2> "$tmp/$name.err"
	bad=$(jq -rs '[.[] | select(.type == "point" and .bench != "harness.empty")] |
		if length == 0 then "no points" else
		[.[] | select(.status == "invalid" or .status == "failed")] |
		if length == 0 then "ok" else .[0] |
		"\(.bench) \(.params | tostring): \(.reason)" end end' \
		"$tmp/$name.jsonl" 2>&1)
	if [ "$bad" != ok ]; then
		not_ok "$name" "$bad $(tail -n 1 "$tmp/$name.err")"
		return 1
	fi
	ok "$name"
}

# point NAME BENCH FILTER: the run's points of that benchmark fulfil it.
point()
{
	local name=$1 bench=$2 filter=$3 got

	got=$(jq -rs "map(select(.bench == \"notifier.$bench\")) |
		if length == 0 then \"no such point\"
		elif all(.[]; .status == \"unavailable\") then \"skip \" + .[0].reason
		elif all(.[]; $filter) then \"ok\" else (.[0] | tostring) end" \
		"$tmp/$name.jsonl" 2>&1)
	case $got in
	ok) ok "$name: $bench" ;;
	skip*) skip "$name: $bench" "${got#skip }" ;;
	*) not_ok "$name: $bench" "$(printf '%s' "$got" | head -c 400)" ;;
	esac
}

before=$(machine)

# --- nobody listens ---

if measure none -b 'notifier.*:secondary=none'; then
	point none upgrade '.proof.pages_in_place == .operations and .proof.pgreuse >= .operations'
	point none cow '.proof.pages_replaced == .operations'
	point none munmap '.proof.pages_gone == .operations * 16'
	point none free '.proof.pages_lazyfree == .operations * 16'
	point none swapout '.proof.pages_swapped == .operations * 16'
	point none fork '.proof.pages_protected == 512'
	point none collapse '.proof.leaf_bytes_after == 2097152'
	point none mprotect 'all(.counters | keys[]; startswith("notifier_") | not) or .counters["notifier_start.protection_vma"].total == 0'
fi
measure directions -b 'notifier.mprotect:dir=down,up,roundtrip' \
	-b 'notifier.uffd_wp:dir=down,up,roundtrip'
measure folios -b 'notifier.m*:folio=64k,2m:pages=512' \
	-b 'notifier.dontneed:folio=64k,2m:pages=512' \
	-b 'notifier.free:folio=64k,2m:pages=512' \
	-b 'notifier.fork:folio=64k,2m' -b 'notifier.cow:folio=64k,2m' \
	-b 'notifier.upgrade:folio=64k,2m' -b notifier.split:how=pmd \
	-n 1
measure part-of-a-folio -b 'notifier.mprotect:folio=64k:pages=1,3' \
	-b 'notifier.dontneed:folio=64k:pages=1,3' \
	-b 'notifier.munmap:folio=64k:pages=1,3' -n 3
measure ksm -b 'notifier.ksm:how=merge,unmerge'
if measure hugetlb -b 'notifier.upgrade:backing=hugetlb:folio=2m' \
		-b 'notifier.cow:backing=hugetlb:folio=2m' -n 4; then
	point hugetlb upgrade '.proof.leaf_bytes == 2097152 and .proof.pages_in_place == 4'
	point hugetlb cow '.proof.pages_replaced == 4'
fi
equal "nothing stays behind" "$(machine)" "$before"

# --- a VM listens ---

if [ -e /dev/kvm ]; then
	if measure kvm -b 'notifier.*:secondary=kvm'; then
		point kvm upgrade '.proof.guest_pages == .operations and .proof.pages_in_place == .operations'
		point kvm mprotect '.proof.guest_pages == .operations * 16'
		point kvm mprotect '(.counters["kvm_stage2_gone.4k"] // {per_op: 16}).per_op == 16'
		point kvm upgrade '(.counters["kvm_stage2_gone.4k"] // {per_op: 0}).per_op == 0'
	fi
	if measure guest -b 'notifier.*:secondary=kvm:measure=guest:guest=read' \
			-b 'notifier.*:secondary=kvm:measure=guest:guest=write'; then
		# A reader that had the page read-only needs no fault for it.
		point guest upgrade '.params.guest == "write" or ((.counters.kvm_stage2_faults // {total: 0}).total == 0)'
		point guest mprotect '.params.guest == "write" or ((.counters.kvm_stage2_faults // {per_op: 1}).per_op > 0.05)'
		# No count of a tracepoint that KVM does not pass.
		point guest mprotect '(.counters.kvm_stage2_faults // {total: 0}).total == 0 or .counters.kvm_guest_faults == null or .counters.kvm_guest_faults.total > 0'
	fi
	equal "no VM stays behind" \
		"$(find /proc/[0-9]*/fd -lname 'anon_inode:kvm*' 2>/dev/null |
			cut -d/ -f3 | sort -u |
			while read -r p; do tr '\0' ' ' < "/proc/$p/cmdline"; done |
			grep -c 'ptelab run')" 0
else
	skip "a VM listens" "no /dev/kvm"
fi

# --- what is refused ---

# reason NAME PATTERN BENCH: the point can't be had, and says so
reason()
{
	local got

	got=$("$ptelab" run --dry-run -b "$3" 2>&1 | tail -n 1)
	if printf '%s' "$got" | grep -q "unavailable: .*$2"; then
		ok "refused: $1"
	else
		not_ok "refused: $1" "$got"
	fi
}

reason "a guest without a VM" "needs a guest" notifier.dontneed:measure=guest
reason "a guest after munmap" "leaves nothing" \
	notifier.munmap:secondary=kvm:measure=guest
reason "a guest that writes to what is read-only" "read-only memory stops" \
	notifier.mprotect:secondary=kvm:measure=guest:guest=write
reason "a guest that writes to what userfaultfd protects" "would wait" \
	notifier.uffd_wp:secondary=kvm:measure=guest:guest=write
reason "hugetlb pages of another size" "no hugetlb pages of 4k" \
	notifier.upgrade:backing=hugetlb
reason "splitting a page" "can't be split" notifier.split:folio=4k
reason "collapsing what is collapsed" "collapsing creates" \
	notifier.collapse:folio=2m
reason "merging pages of large folios" "splits large folios" \
	notifier.ksm:folio=64k
# failed NAME PATTERN ARGS...: the point fails, and its reason says why
failed()
{
	local name=$1 pattern=$2 got

	shift 2
	"$ptelab" run -q "$@" -o "$tmp/failed.jsonl" > /dev/null 2>&1
	got=$(jq -rs 'map(select(.type == "point"))[-1] | "\(.status): \(.reason)"' \
		"$tmp/failed.jsonl" 2>&1)
	rm -f "$tmp/failed.jsonl"
	if printf '%s' "$got" | grep -Eq "^failed: .*$pattern"; then
		ok "refused: $name"
	else
		not_ok "refused: $name" "$got"
	fi
}

failed "more operations than memory" "more than the [0-9]+ that fit" \
	-b notifier.upgrade -n 1000000000
failed "two forks a batch" "more than the 1 that fit" -b notifier.fork -n 2
failed "more hugetlb pages than memory" "more than the [0-9]+ that fit" \
	-b notifier.upgrade:backing=hugetlb:folio=2m \
	-n "$(($(awk '/MemAvailable/ {print $2}' /proc/meminfo) / 2048))"
refuses "pages out of range" "it takes 1 to" \
	"$ptelab" run -q -b notifier.mprotect:pages=0 -o "$tmp/x4.jsonl"
# Where the root is no mount point, as in a chroot, its propagation can't be cut;
# that of /dev must be, or the real one would be hidden too.
apart=(unshare -m) cut=true
if ! "${apart[@]}" true 2> /dev/null; then
	apart+=(--propagation unchanged) cut='mount --make-private /dev'
fi
equal "no KVM: one line that says so" \
	"$("${apart[@]}" sh -c "$cut && mount -t tmpfs none /dev && mknod /dev/zero c 1 5 &&
		mknod /dev/null c 1 3 && '$ptelab' run --dry-run \
		-b notifier.upgrade:secondary=kvm 2>&1 | tail -n 1 |
		sed 's/.*unavailable: //'")" \
	"/dev/kvm: No such file or directory; this kernel or CPU has no KVM"
equal "something else in KVM's place" \
	"$("${apart[@]}" sh -c "$cut && mount -t tmpfs none /dev && mknod /dev/zero c 1 5 &&
		mknod /dev/null c 1 3 && mknod /dev/kvm c 1 3 &&
		'$ptelab' run --dry-run -b notifier.upgrade:secondary=kvm 2>&1 |
		tail -n 1 | sed 's/.*unavailable: //'")" \
	"/dev/kvm is not KVM's device"
if id nobody > /dev/null 2>&1 && command -v setpriv > /dev/null; then
	equal "without root" "$(setpriv --reuid=nobody --clear-groups \
		"$ptelab" run --dry-run -b notifier.upgrade 2>&1 | tail -n 1 |
		sed 's/.*unavailable: //')" "needs root"
fi

# --- killed in the middle ---

# killed WHAT SIGNAL HOLDS ARGS...: the signal comes once the shell command
# HOLDS does; afterwards WHAT is as before, for SIGKILL after the next start.
killed()
{
	local what=$1 signal=$2 holds=$3 name="SIG$2: $1 as before" pid was

	shift 3
	was=$(state "$what")
	"$ptelab" run -q --batches 100000 --counted 0 "$@" \
		-o "$tmp/killed.jsonl" > /dev/null 2>&1 &
	pid=$!
	# Asking again may find a moment at which it is not so.
	if ! await $pid eval "$holds"; then
		kill -KILL $pid 2>/dev/null
		wait $pid 2>/dev/null
		skip "$name" "nothing was changed: $(jq -r 'select(.reason) | .reason' "$tmp/killed.jsonl" | head -n 1)"
		rm -f "$tmp/killed.jsonl"
		return
	fi
	kill -"$signal" $pid
	wait $pid 2>/dev/null
	rm -f "$tmp/killed.jsonl"
	if [ "$signal" = KILL ]; then
		"$ptelab" run -q -b harness.empty -o "$tmp/after.jsonl" \
			> /dev/null 2>&1
		rm -f "$tmp/after.jsonl"
	fi
	equal "$name" "$(state "$what")" "$was"
}

swap_on='grep -q zram /proc/swaps'
pool_on="[ \"\$(cat $huge 2>/dev/null || echo 0)\" -gt $(cat $huge 2>/dev/null || echo 0) ]"
ksm_on="[ \"\$(cat /sys/kernel/mm/ksm/sleep_millisecs 2>/dev/null || echo 0)\" -ge 1000000 ]"
thp_on="[ \"\$(state thp)\" != \"\$was\" ]"
for s in TERM HUP KILL; do
	killed swap $s "$swap_on" -b notifier.swapout
	killed pool $s "$pool_on" \
		-b notifier.upgrade:backing=hugetlb:folio=2m -n 8
	killed ksm $s "$ksm_on" -b notifier.ksm
	# with a VM, and with a child, that must not outlive it
	killed thp $s "$thp_on" -b notifier.mprotect:secondary=kvm:folio=64k
	killed thp $s "$thp_on" -b notifier.cow:folio=64k
done
for _ in $(seq 100); do
	[ "$(pgrep -cf "$ptelab run .*$tmp")" -gt 0 ] || break
	sleep 0.1
done
equal "no process stays behind" "$(pgrep -cf "$ptelab run .*$tmp")" 0
