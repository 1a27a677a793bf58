#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# uring.sh: the uring benchmarks in the emulated machine, where pins are exact:
# with one CPU, with two and a polling kernel thread, and where io_uring is disabled.
# run: needs base
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

need_lab uring
need_kernel
if ! make -s VARIANT=arm64 build/arm64/ptelab > "$tmp/make" 2>&1; then
	not_ok program "$(grep -m 1 error "$tmp/make")"
	exit 1
fi
run='ptelab run -q -o - --seed @SEED@ --batches 2 --warmup 1 --counted 1'

# boot NAME JOB [OPTION...]: its points in $tmp/NAME.json
boot()
{
	echo "$2" > "$tmp/job"
	if ! scripts/lab/boot --image "$kernel/Image" --ptelab build/arm64/ptelab --job "$tmp/job" \
			--out "$tmp/$1.jsonl" "${@:3}" > "$tmp/end" 2>&1 && ! grep -q '^done' "$tmp/end"; then
		not_ok "boot-$1" "$(tail -n 1 "$tmp/end")"
	fi
	jq -s '[.[] | select(.type == "point" and (.bench | startswith("uring.")))]' "$tmp/$1.jsonl" > "$tmp/$1.json"
}

boot exact "$run -b uring.*:folio=4k,64k -b uring.*:folio=64k:buffer=each -b uring.unregister:how=table:folio=64k"
holds all-are-proved exact 'length >= 11 and all(.[]; .status == "ok")'
# What a request costs that pins its pages, and one that does not
holds plain-pins-each-page exact '[.[] | select(.params.buffer == "plain")] | length == 2 and
	all(.[]; .counters.pages_pinned.per_op == 16 and .proof.pages_unpinned == 16 * .operations)'
holds fixed-pins-none exact '[.[] | select(.params.buffer == "fixed")] | length >= 4 and
	all(.[]; .counters.pages_pinned.per_op == 0 and .proof.pages_unpinned == 0 and .proof.fails_without_its_buffer)'
holds fixed-costs-less exact '[.[] | select(.bench == "uring.read" and .params.folio == "64k") |
	{(.params.buffer): .counters.instructions_kernel.per_op}] | add | .fixed < .plain'
holds update exact '[.[] | select(.bench == "uring.update")] | length == 2 and
	all(.[]; .counters.pages_pinned.per_op == 16 and .proof.pages_unpinned == .proof.pages_pinned)'
holds unregister exact '[.[] | select(.bench == "uring.unregister")] | length == 3 and
	all(.[]; .counters.pages_pinned.per_op == 0 and .proof.pages_unpinned == .proof.pages_held)'
# A buffer within one folio may hold one pin for all of its pages.
holds unregister-of-pages exact 'any(.[]; .bench == "uring.unregister" and .params.folio == "4k" and
	.proof.pages_unpinned == 16 * .operations)'

boot race "$run -b uring.read:poll=sqpoll:buffer=each:folio=64k -b uring.write:poll=sqpoll:folio=64k -b uring.update:folio=64k:threads=2" \
	--mode race
holds poller-takes-all race 'length == 4 and all(.[]; .status == "ok") and
	([.[] | select(.params.poll) | .proof.wakeups_of_poller] == [0, 0, 0])'

boot disabled "$run -b uring.*:folio=64k -b uring.read:poll=sqpoll" --cmdline sysctl.kernel.io_uring_disabled=2
holds disabled disabled 'length >= 5 and all(.[]; .status == "unavailable" and (.reason | test("not permitted here")))'
boot one-cpu "$run -b uring.read:poll=sqpoll -b gup.futex:folio=64k"
holds no-poller-with-one-cpu one-cpu 'all(.[]; .status == "unavailable" and (.reason | test("needs a second CPU")))'
