#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# bpftrace.sh: each of bpf/*.bt in the emulated machine, with Debian's bpftrace,
# on something done a known number of times.
# run: needs base root
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=trace.sh
. "$(dirname "$0")/trace.sh"

need_lab bpftrace-scripts mmdebstrap
need_kernel
build_guest build/arm64/tests/bpf/trigger
if ! offsets=$(build/native/ptelab trace --explain-retry --bpftrace \
		--vmlinux "$kernel/vmlinux" 2> "$tmp/offsets"); then
	not_ok retry-sites-for-bpftrace "$(cat "$tmp/offsets")"
	exit 1
fi

# boot NAME MODE: runs $tmp/NAME.job, output to $tmp/NAME.jsonl.
boot()
{
	if ! tests/bpf/boot-root "$kernel/Image" build/arm64/ptelab \
			"$tmp/$1.job" "$tmp/$1.jsonl" \
			build/arm64/tests/bpf/trigger:bin/trigger \
			bpf/notifier_who.bt:bt/notifier_who.bt \
			bpf/kvm_zap_ranges.bt:bt/kvm_zap_ranges.bt \
			bpf/gup_latency.bt:bt/gup_latency.bt \
			bpf/lockless_retries.bt:bt/lockless_retries.bt \
			-- --mode "$2" > "$tmp/$1.end" 2>&1; then
		not_ok "$1-boot" "$(tail -n 1 "$tmp/$1.end")"
		return 1
	fi
}

# part NAME NUMBER: what the boot's command of that number printed.
part()
{
	awk -v n="$2" '/^=== / { k++; next } k == n' "$tmp/$1.jsonl"
}

# map NAME NUMBER MAP: a map's only value, as of "@calls[2]"; "-" if none.
map()
{
	part "$1" "$2" | awk -v key="$3: " '
		index($0, key) == 1 { v = substr($0, length(key) + 1) }
		END { print v == "" ? "-" : v }'
}

# histogram NAME NUMBER MAP: "FROM COUNT" of each bucket that is not empty.
histogram()
{
	part "$1" "$2" | awk -v key="$3:" '
		/^@/ { mine = index($0, key) == 1; next }
		mine && /^[[(]/ {
			sub(/^[[(]/, ""); sub(/[],)].*\) */, " "); sub(/\]/, "")
			if ($2 + 0) printf "%s%s %s", n++ ? "," : "", $1, $2
		}
		END { print n ? "" : "-" }'
}

# stacks NAME NUMBER MAP PATTERN FUNCTION: calls whose key matches the pattern
# and whose stack holds the function.
stacks()
{
	part "$1" "$2" | awk -v key="$3[$4" -v f="$5" '
		/^@/ { mine = index($0, key) == 1; hit = 0; next }
		mine && index($0, f) { hit = 1 }
		mine && /^\]: / { if (hit) sum += $2; mine = 0 }
		END { print sum + 0 }'
}

# Each command is told apart by a line of its own.
{
	for c in \
		"'/bin/trigger vm reprotect 3 soft_dirty 5' /bt/notifier_who.bt" \
		"'/bin/trigger vm reprotect 3 discard 2' /bt/kvm_zap_ranges.bt" \
		"'/bin/trigger slow 100 partly 7 futex 300' /bt/gup_latency.bt" \
		"'/bin/trigger futex 300' /bt/lockless_retries.bt $offsets"; do
		echo "/bin/busybox echo '=== $(tr -d \' <<<"$c")'"
		echo "/usr/bin/bpftrace -c $c"
	done
} > "$tmp/exact.job"
if boot exact exact; then
	equal who-protection-vma "$(map exact 1 '@calls[2]')" 6
	equal who-soft-dirty "$(map exact 1 '@calls[4]')" 5
	equal who-nothing-else "$(map exact 1 '@calls[1]') $(map exact 1 '@calls[3]')" "- -"
	equal who-sizes "$(histogram exact 1 '@pages[2]')" "512 6"
	equal who-stack-of-mprotect \
		"$(stacks exact 1 @who 'trigger, 2,' mprotect)" 6
	equal who-stack-of-clear-refs \
		"$(stacks exact 1 @who 'trigger, 4,' vfs_write)" 5

	pid=$(part exact 2 | sed -nE 's/^@pages_in_all\[([0-9]+)\].*/\1/p')
	# Read-only, writable again, three times; thrown away twice; 512 pages.
	equal zaps-pages "$(map exact 2 "@pages_in_all[$pid]")" $(((6 + 2) * 512))
	equal zaps-sizes "$(histogram exact 2 "@pages_a_zap[$pid]")" "512 8"
	equal zaps-stack-of-mprotect "$(stacks exact 2 @zaps trigger mprotect)" 6
	equal zaps-stack-of-madvise "$(stacks exact 2 @zaps trigger madvise)" 2

	equal latency-calls "$(map exact 3 '@calls[trigger]')" 407
	equal latency-of-one-page \
		"$(histogram exact 3 '@ns[1]' | tr , '\n' | awk '{ n += $2 } END { print n }')" 400
	equal latency-of-16-pages \
		"$(histogram exact 3 '@ns[16]' | tr , '\n' | awk '{ n += $2 } END { print n }')" 7
	equal latency-none-short "$(map exact 3 '@short_or_failed[trigger]')" -
	# What finds its page takes less than what has to fault one in first.
	check latency-in-order test "$(histogram exact 3 '@ns[1]' | tr , '\n' | wc -l)" -ge 2

	equal retries-gathers "$(map exact 4 @gathers)" 300
	equal retries-none-with-one-cpu "$(map exact 4 @retries)" 0
fi

if [ "$(nproc)" -lt 2 ]; then
	skip retries-by-bpftrace "no retries on a machine with one CPU"
	exit 0
fi
{
	echo "/bin/busybox echo '=== race'"
	# In this order: under a kprobe of bpftrace's ours can't read the code.
	echo "/bin/ptelab trace -a --json -o - -e lockless_* -- /usr/bin/bpftrace -c '/bin/trigger race 300000' /bt/lockless_retries.bt $offsets"
} > "$tmp/race.job"
if boot race race; then
	ours=$(part race 1 | grep -o '"lockless_retries":{"count":[0-9]*' | grep -o '[0-9]*$')
	check retries-happened test "${ours:-0}" -gt 0
	# So far, every second; the last is that of the end.
	equal retries-by-bpftrace "$(map race 1 @retries)" "${ours:-none}"
	check retries-every-second test "$(part race 1 | grep -cE '^[0-9]+:[0-9]+:[0-9]+$')" -ge 1
	check nothing-missed sh -c "! grep -q missed '$tmp/race.jsonl'"
fi
