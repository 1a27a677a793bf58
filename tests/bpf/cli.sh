#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# cli.sh: ptelab trace as a command, on this machine, whatever it can count.
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

ptelab=$top/build/native/ptelab
# trace ARG...: its exit status into $status, what it prints into $tmp/out, err.
trace()
{
	status=0
	"$ptelab" trace "$@" > "$tmp/out" 2> "$tmp/err" < /dev/null || status=$?
}

trace --list -v
equal list-status "$status" 0
check list-has-every-counter test "$(wc -l < "$tmp/out")" -ge 30
check list-has-a-reason-or-a-place sh -c "! grep -Evq '^[a-z0-9_.]+ +[^ ]' '$tmp/out'"
trace --list -q
check list-names test "$(grep -cx '[a-z0-9_.]*' "$tmp/out")" -ge 30
trace --list
check list-folds test "$(grep -c '^- ' "$tmp/out")" -le 10
if ! grep -q '^faults.minor  *software event' "$tmp/out"; then
	skip trace-here "no software events: $(grep '^faults.minor' "$tmp/out")"
	exit 0
fi

trace -e 'faults.*' -- true
equal true-status "$status" 0
equal nothing-on-standard-output "$(wc -c < "$tmp/out")" 0
check table-on-standard-error grep -Eq '^ *[1-9][0-9]*  faults.minor' "$tmp/err"
trace -e faults.major -- true
check a-chosen-zero-has-its-line grep -Eq '^ *[0-9]+  faults.major' "$tmp/err"
trace -q -- true
check quiet-has-only-counts sh -c "! grep -q 'not counted' '$tmp/err'"
trace -e 'faults.*' -- sh -c 'exit 7'
equal status-passed-on "$status" 7
trace -e 'faults.*' -- sh -c 'exit 2'
equal status-2-passed-on "$status" 2
check status-2-is-no-error sh -c "! grep -q '^ptelab:.*error\|^ptelab: *$' '$tmp/err'"
trace -e 'faults.*' -- sh -c 'kill -9 $$'
equal signal-passed-on "$status" 137
trace -e 'faults.*' -- sh -c 'echo printed; echo -x'
equal command-prints-where-it-would "$(head -n 1 "$tmp/out")" printed
trace -e faults.minor -- true -e --list -I 3
equal options-of-the-command-are-its "$status" 0
trace -e faults.minor -o "$tmp/file" -- true
check output-file grep -q faults.minor "$tmp/file"
trace -e faults.minor -o - -- true
check output-dash grep -q faults.minor "$tmp/out"

trace --json -e 'faults.*' -o - -- true
check json-is-one-line test "$(wc -l < "$tmp/out")" = 1
check json-has-a-schema grep -q '"schema":"ptelab-trace-1"' "$tmp/out"
# The command ends when there have been as many intervals, however slow it is.
# shellcheck disable=SC2016
trace --json -I 50 -e faults.minor -o "$tmp/intervals" -- \
	sh -c 'until [ "$(grep -c at "$0")" -ge 4 ]; do sleep 0.05; done' "$tmp/intervals"
check intervals test "$(grep -c '"at"' "$tmp/intervals")" -ge 4
check last-line-is-the-total sh -c "tail -n 1 '$tmp/intervals' | grep -q schema"

# --- the same by perf ---

trace --perf-args -e 'faults.*' -- sh -c 'exit 0'
equal perf-args "$(cat "$tmp/out")" "perf stat -e minor-faults,major-faults -- sh -c 'exit 0'"
trace --perf-args -e 'faults.minor,gup_fast_pages' -p 1
equal perf-args-of-a-process "$(head -n 1 "$tmp/out")" "perf stat -e minor-faults -p 1"
check perf-args-says-what-not grep -qx '# no event of perf: gup_fast_pages' "$tmp/out"
if ! command -v perf > /dev/null; then
	skip perf-agrees "no perf"
else
	# Thousands of faults; what a program's start takes varies by a few
	faulting=(perl -e '$x = "a" x 9e6; print length($x)')
	trace --json -o "$tmp/faults" -e faults.minor -- "${faulting[@]}"
	ours=$(sed -n 's/.*"faults.minor":{"count":\([0-9]*\).*/\1/p' "$tmp/faults")
	trace --perf-args -q -e faults.minor -- "${faulting[@]}"
	theirs=$(bash -c "$(sed 's/perf stat/perf stat -x,/' "$tmp/out")" 2>&1 > /dev/null | cut -d, -f1)
	check faulted test "${ours:-0}" -gt 2000
	check perf-agrees test $((theirs > ours ? theirs - ours : ours - theirs)) -le 20
fi

# has_begun FILE: counting prints a headline with -I, once all is set up.
has_begun()
{
	local i

	for ((i = 0; i < 600; i++)); do
		[ ! -s "$1" ] || return 0
		sleep 0.1
	done
	return 1
}

# What a shell's Ctrl-C does: the command ends, the table comes.
env --default-signal=INT "$ptelab" trace -I 60000 -e faults.minor -o "$tmp/file1" \
	-- sleep 600 2> /dev/null &
check interrupted-has-begun has_begun "$tmp/file1"
kill -INT $!
wait $!
equal interrupted-status "$?" 130
check interrupted-table grep -q '^Events of' "$tmp/file1"
"$ptelab" trace -I 60000 -e faults.minor -o "$tmp/file2" -a 2> /dev/null &
check whole-machine-has-begun has_begun "$tmp/file2"
kill -TERM $!
wait $!
equal whole-machine-until-stopped "$?" 0
check whole-machine-table grep -q '^Events of' "$tmp/file2"

# Events of KVM, where nothing but its tracepoints can be had.
"$ptelab" trace --list -e kvm_unmap_hva > "$tmp/kvm" 2>&1
if ! grep -q '^kvm_unmap_hva  *tracepoint' "$tmp/kvm"; then
	skip trace-kvm-here "$(cut -c1-200 "$tmp/kvm")"
elif ! [ -w /dev/kvm ]; then
	skip trace-kvm-here "no /dev/kvm"
elif ! make -s -C "$top" build/native/tests/bpf/trigger > "$tmp/make" 2>&1; then
	not_ok trace-kvm-here "$(grep -m 1 error "$tmp/make")"
else
	# Read-only and writable again, three times; thrown away four times.
	trace --json -e kvm_unmap_hva -o - -- \
		"$top/build/native/tests/bpf/trigger" vm reprotect 3 discard 4
	equal trace-kvm-here "$(jq '.counters.kvm_unmap_hva.count' "$tmp/out")" 10
fi

refuses perf-args-of-nothing 'perf can count none of these here' \
	"$ptelab" trace --perf-args -e gup_fast_pages
refuses no-such-counter "no counter 'gup_fast_cals'; did you mean gup_fast_calls" \
	"$ptelab" trace -e gup_fast_cals -- true
refuses no-such-program 'nonesuch: no such program' "$ptelab" trace -e 'faults.*' -- nonesuch
refuses no-permission 'Permission denied' "$ptelab" trace -e 'faults.*' -- /etc
refuses no-such-process 'no process 4194303' "$ptelab" trace -p 4194303
refuses no-such-directory 'No such file' "$ptelab" trace -o /nonesuch/x -- true
refuses no-such-vmlinux 'No such file' "$ptelab" trace --explain-retry --vmlinux /nonesuch
[ "$(uname -m)" = aarch64 ] || refuses nothing-to-explain-here 'give its --vmlinux' \
	"$ptelab" trace --explain-retry
refuses not-for-arm64 'not for arm64' "$ptelab" trace --explain-retry --vmlinux "$ptelab"
for bad in '-p x' '-p 0' '-I 1' '-p 1 -- true' '--vmlinux x' '--nonesuch'; do
	# shellcheck disable=SC2086
	trace $bad
	equal "usage-error-${bad// /-}" "$status $(wc -l < "$tmp/err")" "2 1"
done
