#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# sample.sh: ptelab run --sample and what explain makes of two such runs, on
# this machine's own kernel.
# run: here
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

ptelab=$top/build/native/ptelab
if ! grep -qm1 '^0*[1-9a-f][0-9a-f]* [tT] ' /proc/kallsyms; then
	skip sample "the kernel hides its symbols from this user"
	exit 0
fi
for run in a b; do
	"$ptelab" run -q -b fault.anon_write:folio=4k --counted 0 --batches 4 --sample 0.3 \
		-o "$tmp/$run" > /dev/null 2> "$tmp/err" || not_ok "run-$run" "$(tail -n 1 "$tmp/err")"
done
point='select(.bench == "fault.anon_write")'
why=$(jq -r "$point | .absent.samples // empty" "$tmp/a/boot-001.jsonl")
if [ -n "$why" ]; then
	skip sample "$why"
	exit 0
fi
samples=$(jq "$point | .samples.count" "$tmp/a/boot-001.jsonl")
if [ "${samples:-0}" -ge 20 ]; then
	ok samples-are-taken
else
	not_ok samples-are-taken "${samples:-none} in 0.3 s"
fi
equal every-sample-has-a-function "$(jq "$point | .samples.functions | add" "$tmp/a/boot-001.jsonl")" "$samples"
equal an-empty-batch-is-not-sampled \
	"$(jq -r 'select(.bench == "harness.empty") | .absent.samples' "$tmp/a/boot-001.jsonl")" "not sampled: there is nothing in it"
# A page fault has a function of that name on every architecture.
functions=$(jq -r "$point | .samples.functions | keys[]" "$tmp/a/boot-001.jsonl")
check faults-are-found grep -q '^kernel .*fault' <<< "$functions"
check the-programs-own-are-named grep -q '^user [a-z]' <<< "$functions"
metric=$(jq -r "$point | .samples.metric" "$tmp/a/boot-001.jsonl")
check explain-samples sh -c "'$ptelab' explain '$tmp/a' '$tmp/b' -b fault.anon_write | grep -q '$metric per operation, sampled'"
equal shares-are-of-the-figure "$("$ptelab" explain "$tmp/a" "$tmp/b" -b fault.anon_write --json |
	jq '.[0] | ((([.functions[].new] | add) / .new - 1) | fabs) < 1e-9')" true
check a-run-explains-itself-as-equal sh -c "'$ptelab' explain '$tmp/a' '$tmp/a' -b fault.anon_write --json |
	jq -e '.[0] | .delta == 0 and ([.functions[] | select(.low > 0 or .high < 0)] | length == 0)'"
"$ptelab" run --sample x > /dev/null 2> "$tmp/err"
equal bad-seconds "$? $(head -n 1 "$tmp/err")" \
	"2 ptelab run: --sample takes seconds, up to 3600, not 'x'"
