#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The machines that lack something (tests/without.c): each lacks what it says,
# and ptelab says so, with the same reason in list, doctor, --dry-run and run.
set -uo pipefail
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
cd "$top" || exit 1
ptelab=$top/build/native/ptelab

if ! make -s VARIANT=native build/native/tests/without > "$tmp/make" 2>&1; then
	not_ok without "does not build: $(grep -m 1 error "$tmp/make")"
	exit 1
fi
without=$top/build/native/tests/without

# in_mode MODE COMMAND...: its output; skips the mode's tests if it can't be had
in_mode()
{
	local mode=$1 status=0

	shift
	"$without" "$mode" -- "$@" > "$tmp/out" 2> "$tmp/err" || status=$?
	if [ $status = 77 ]; then
		skip "without $mode" "$(tail -n 1 "$tmp/err")"
		return 1
	fi
}

refuses "no such mode" "no mode 'nosuch'" "$without" nosuch -- true
refuses "no command" "usage: without" "$without" kvm
for mode in $("$without" --list | cut -d' ' -f1); do
	in_mode "$mode" sh -c 'exit 5' || continue
	"$without" "$mode" -- sh -c 'exit 5' > /dev/null 2>&1
	equal "$mode: the command's status" $? 5
	"$without" "$mode" -- sh -c 'kill -KILL $$' > /dev/null 2>&1
	equal "$mode: the command's signal" $? 137
done

if in_mode kvm "$ptelab" list -s -b notifier.mprotect; then
	check "kvm: there is none" "$without" kvm -- test ! -e /dev/kvm
	check "kvm: other devices work" "$without" kvm -- sh -c 'echo x > /dev/null'
fi
for mode in perf bpf breakpoints; do
	in_mode $mode "$ptelab" doctor || continue
	case $mode in
	perf) check "perf: doctor says so" grep -qE '^missing +[0-9]+ metrics .*(not implemented|no perf|no such).*: instructions' "$tmp/out" ;;
	breakpoints) check "breakpoints: doctor says so" grep -qE '^missing +breakpoints .*never fires' "$tmp/out" ;;
	bpf) check "bpf: doctor says so" grep -qE '^missing +BPF .*programs that load: none' "$tmp/out" ;;
	esac
done
if in_mode cores nproc; then
	equal "cores: one" "$(cat "$tmp/out")" 1
fi
# shellcheck disable=SC2016
if in_mode busy sh -c 'ps -o pid= --ppid $PPID | wc -l'; then
	equal "busy: a neighbour a CPU, beside the command" "$(cat "$tmp/out")" $(($(nproc) + 1))
fi
# shellcheck disable=SC2016
if in_mode clock sh -c 'i=0; while [ $i -lt 50 ]; do date +%s; i=$((i + 1)); sleep 0.1; done'; then
	# shellcheck disable=SC2016
	check "clock: the time goes back and forth" awk 'NR > 1 && $1 < last { back++ }
		NR > 1 && $1 > last + 1000 { forth++ } { last = $1 } END { exit !(back && forth) }' "$tmp/out"
fi
if in_mode memory "$ptelab" run -q -b notifier.upgrade -n 1000000000 -o "$tmp/big.jsonl"; then
	why=$(jq -r 'select(.bench == "notifier.upgrade").reason' "$tmp/big.jsonl")
	most=$(sed -n 's/.*more than the \([0-9]*\) that fit.*/\1/p' <<< "$why")
	if [ -z "$most" ]; then
		skip "memory: a region is at most a quarter of it" "$why"
	else
		check "memory: a region is at most a quarter of it" \
			test $((most * $(getconf PAGESIZE))) -le $((1 << 30))
	fi
fi

# One reason, wherever it is asked.
for mode in perf breakpoints container; do
	in_mode $mode "$ptelab" list -b fault.anon_write --json || continue
	why=$(jq -r '.[0].unavailable // empty' "$tmp/out")
	in_mode $mode "$ptelab" run --dry-run -b fault.anon_write
	equal "$mode: list and --dry-run agree" "$(sed -n 's/.*unavailable: //p' "$tmp/out")" "$why"
	in_mode $mode "$ptelab" run -q -b fault.anon_write --batches 2 -o "$tmp/$mode.jsonl"
	equal "$mode: so does run" \
		"$(jq -r 'select(.bench == "fault.anon_write") | .status + (.reason // "")' "$tmp/$mode.jsonl")" \
		"$([ -z "$why" ] && echo ok || echo "unavailable$why")"
	in_mode $mode "$ptelab" doctor
	if [ -z "$why" ]; then
		check "$mode: doctor too" grep -q '^ok  *proofs ' "$tmp/out"
	else
		check "$mode: doctor too" grep -qF "$why" "$tmp/out"
	fi
done
