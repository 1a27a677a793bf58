#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# gup and fault on this machine: every point is proved or says why it can't
# be had, what is proved is true, and nothing is left behind.
# run: here
set -uo pipefail
. "$(dirname "$0")/../lib.sh"
cd "$top" || exit 1
ptelab=$top/build/native/ptelab

if [ "$(id -u)" != 0 ]; then
	skip "gup and fault" "needs root"
	exit 0
fi
need_proofs "gup and fault"

# run NAME SELECTOR...: measures into $tmp/NAME.jsonl, quickly; again if the
# kernel had no large folio to give, as it may where memory is fragmented
run()
{
	local name=$1 args=() i

	shift
	for s in "$@"; do
		args+=(-b "$s")
	done
	for ((i = 0; i < 10; i++)); do
		rm -f "$tmp/$name.jsonl"
		"$ptelab" run -q --batches 3 --warmup 1 --min-batch-ms "${ms:-0}" \
			"${args[@]}" -o "$tmp/$name.jsonl" \
			> "$tmp/$name.out" 2> "$tmp/$name.err"
		points "$name" | grep -qE '"reason":"folio [0-9]+ of [0-9]+ is not [0-9]+[km]:' || break
	done
}

# points NAME: the points of a run, without harness.empty
points()
{
	jq -c 'select(.type == "point" and .bench != "harness.empty")' \
		"$tmp/$1.jsonl"
}

# Each point ok, or unavailable with a reason; at least MIN of them ok.
proved()
{
	local name=$1 min=$2 bad oks

	bad=$(points "$name" | jq -r 'select(.status != "ok" and
		(.status != "unavailable" or (.reason | length) < 10) and
		# on a busy machine the racer may never get its CPU; the
		# point must then be invalid, and say so
		((.reason // "") | test("racer completed no round") | not)) |
		"\(.bench) \(.params): \(.status): \(.reason)"' | head -n 3)
	oks=$(points "$name" | jq -r 'select(.status == "ok") | .bench' | wc -l)
	if [ -n "$bad" ]; then
		not_ok "$name: proved or refused" "$bad"
	elif [ "$oks" -lt "$min" ]; then
		not_ok "$name: proved or refused" "only $oks points were ok: $(head -n 1 "$tmp/$name.err")"
	else
		ok "$name: proved or refused ($oks ok)"
	fi
}

# has NAME PATTERN FILTER: every ok point of a benchmark fulfils the filter
has()
{
	local bad

	bad=$(points "$1" | jq -c "select(.status == \"ok\" and
		(.bench | test(\"$2\"))) | select(($3) | not)" | head -n 1)
	if [ -z "$bad" ]; then
		ok "$1: $2: $3"
	else
		not_ok "$1: $2: $3" "$bad"
	fi
}

thp=/sys/kernel/mm/transparent_hugepage
if [ ! -d $thp ]; then
	folios=4k
elif [ -d $thp/hugepages-64kB ]; then
	folios=4k,64k,2m
else
	folios=4k,2m
fi
[ "$(getconf PAGESIZE)" = 4096 ] || folios=contpte

run fault "fault.*:folio=$folios" "fault.cow:folio=$folios:touch=all" \
	"fault.wp_reuse:folio=$folios:via=uffd" \
	"fault.file:folio=$folios:kind=private,shared:access=read,write"
proved fault 6
has fault "fault.(anon_write|cow|wp_reuse|spurious)" \
	'.proof.folio_bytes == ({"4k": 4096, "64k": 65536, "2m": 2097152}[.params.folio] // .proof.folio_bytes) and .proof.leaf_bytes <= .proof.folio_bytes'
has fault "fault.(anon_write|anon_read|cow|wp_reuse|file)" \
	'.counters["faults.minor"].per_op == 1'
has fault "fault.cow" '.proof.pages_copied > 0'
has fault "fault.(wp_reuse|spurious)" '.proof.pages_in_place > 0'
has fault "fault.anon_read" '.proof.zero_page'

run gup "gup.*:folio=$folios"
proved gup 6
has gup "gup.(iouring|odirect|remote|pin_fast|pin_longterm)" \
	'.proof.pages_pinned >= .proof.pages_asked'
has gup "gup.vmsplice" '.proof.pages_read_back > 0'
has gup "gup.futex" '.proof.shared_wake_faults_on_hole'

run uring "uring.*:folio=$folios" 'uring.*:buffer=each' 'uring.unregister:how=table'
proved uring 6
has uring "uring.(read|write)" \
	'if .params.buffer == "plain" then .proof.pages_pinned > 0 else .proof.fails_without_its_buffer end'
has uring uring.update '.proof.pages_pinned > 0 and .proof.pages_unpinned > 0'
has uring uring.unregister '.proof.pages_unpinned > 0'

if [ "$(nproc)" -gt 1 ]; then
	run threads 'fault.*:threads=2' 'gup.*:threads=2' 'uring.*:threads=2'
	proved threads 6
	run poll 'uring.*:poll=sqpoll' 'uring.read:poll=sqpoll:buffer=plain'
	proved poll 3
	has poll "uring.(read|write)" '.proof.wakeups_of_poller == 0'
	# long enough to meet a racer that has to share its CPU
	ms=30 run racers 'gup.*:racer=mprotect,dontneed'
	proved racers 4
	has racers gup 'any(.counters | keys[]; . == "racer_rounds")'
else
	skip "threads and racers" "needs two CPUs"
fi

# --- what can't be had says so ---

run refused 'fault.anon_write:folio=8k' 'fault.anon_read:folio=64k' \
	'gup.iouring:racer=mprotect' 'gup.vmsplice:racer=dontneed' \
	'gup.odirect:path=/no/such/device'
if [ "$(points refused | jq -r .status | sort -u)" = unavailable ]; then
	ok "impossible points are unavailable"
else
	not_ok "impossible points are unavailable" "$(points refused | head -n 3)"
fi

# --- nothing stays ---

"$ptelab" run -q -b fault.cow --batches 100000 -o "$tmp/kill" \
	> /dev/null 2>&1 &
pid=$!
# dead is also what nobody has reaped yet
lives()
{
	grep -q '^State:[[:space:]]*[^ZX]' "/proc/$1/status" 2> /dev/null
}
# It has a child in every batch, for a moment: stopped in the middle of one. It
# must have had the CPU in between, which others may want as well.
child=''
for _ in $(seq 2000); do
	kill -STOP $pid 2> /dev/null || break
	child=$(pgrep -P $pid | head -n 1)
	[ -n "$child" ] && lives "$child" && break
	child=''
	kill -CONT $pid
	sleep "0.00$((RANDOM % 10))"
done
kill -KILL $pid
wait $pid 2> /dev/null
for _ in $(seq 600); do
	[ -n "$child" ] && lives "$child" || break
	sleep 0.1
done
if [ -z "$child" ]; then
	not_ok "a child dies with its parent" "none was seen"
elif lives "$child"; then
	not_ok "a child dies with its parent" "$child lived"
else
	ok "a child dies with its parent"
fi
# put back what the killed one had changed
"$ptelab" run -q -b harness.empty -o "$tmp/after.jsonl" > /dev/null 2>&1
