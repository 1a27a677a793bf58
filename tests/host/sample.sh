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
point='select(.bench == "fault.anon_write")'

# functions RUN: "WORLD FUNCTION" lines of its samples
functions()
{
	jq -r "$point | .samples.functions | keys[]" "$tmp/$1/boot-001.jsonl"
}

# Samples of the kernel's fault handling, which has a function of that name on
# every architecture, and of the program's own code.
enough()
{
	[ "$(jq "$point | .samples.count" "$tmp/$1/boot-001.jsonl")" -ge 20 ] &&
		functions "$1" | grep -q '^kernel .*fault' &&
		functions "$1" | grep -q '^user [a-z]'
}

# How many come in a second depends on what else runs here.
for seconds in 0.3 1 3 10 30; do
	for run in a b; do
		rm -rf "${tmp:?}/$run"
		"$ptelab" run -q -b fault.anon_write:folio=4k --counted 0 --batches 4 \
			--sample $seconds -o "$tmp/$run" > /dev/null 2> "$tmp/err"
	done
	why=$(jq -r "$point | if .status == \"ok\" then .absent.samples // empty else .status + \": \" + .reason end" \
		"$tmp/a/boot-001.jsonl")
	[ -z "$why" ] || break
	! enough a || ! enough b || break
done
case $why in
'') ;;
failed:*|invalid:*)
	not_ok sample "$why"
	exit ;;
*)
	skip sample "$why"
	exit 0 ;;
esac
samples=$(jq "$point | .samples.count" "$tmp/a/boot-001.jsonl")
if enough a && enough b; then
	ok samples-are-taken
else
	not_ok samples-are-taken "$samples in $seconds s: $(functions a | head -n 5 | tr '\n' '|')"
fi
equal every-sample-has-a-function "$(jq "$point | .samples.functions | add" "$tmp/a/boot-001.jsonl")" "$samples"
equal an-empty-batch-is-not-sampled \
	"$(jq -r 'select(.bench == "harness.empty") | .absent.samples' "$tmp/a/boot-001.jsonl")" "not sampled: the batch is empty"
metric=$(jq -r "$point | .samples.metric" "$tmp/a/boot-001.jsonl")
check explain-samples sh -c "'$ptelab' explain '$tmp/a' '$tmp/b' -b fault.anon_write | grep -q '$metric per operation, sampled'"
equal shares-are-of-the-figure "$("$ptelab" explain "$tmp/a" "$tmp/b" -b fault.anon_write --json |
	jq '.[0] | ((([.functions[].new] | add) / .new - 1) | fabs) < 1e-9')" true
check a-run-explains-itself-as-equal sh -c "'$ptelab' explain '$tmp/a' '$tmp/a' -b fault.anon_write --json |
	jq -e '.[0] | .delta == 0 and ([.functions[] | select(.low > 0 or .high < 0)] | length == 0)'"
"$ptelab" run --sample x > /dev/null 2> "$tmp/err"
equal bad-seconds "$? $(head -n 1 "$tmp/err")" \
	"2 ptelab run: --sample takes seconds, up to 3600, not 'x'"
