#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# make trend: what it refuses, and two of Debian's kernels with one point.
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

need_deps lab-trend build arm64 boot test
unset_make_vars
trend=$top/scripts/trend
name=test-trend-$$
run=$top/runs/$name
trap 'rm -rf "$tmp" "$run"' EXIT

refuses range-without-tree 'give TREE with RANGE' "$trend" RANGE=a..b
refuses no-such-tree "TREE '/nowhere' is no directory" "$trend" TREE=/nowhere RANGE=a..b
refuses no-range 'is not OLD\.\.NEW' "$trend" TREE="$top" RANGE=HEAD
refuses no-such-commit "no 'nope' in" "$trend" TREE="$top" RANGE=nope..HEAD
refuses both-kinds 'give one of KERNELS and TREE' "$trend" TREE="$top" RANGE=HEAD~1..HEAD KERNELS=6.1
refuses bad-name "is no name for a folder" "$trend" NAME=a/b
refuses no-such-job "no job 'nosuch'" "$trend" JOB=nosuch
refuses bad-seed "'x' is not a number" "$trend" SEEDS=x
refuses bad-kernel "neither X.Y" "$trend" KERNELS="6.12 x/y"
for k in 6.12 newest; do
	if ! "$top/scripts/lab/debian-kernel" "$k" > /dev/null 2> "$tmp/fetch"; then
		skip lab-trend "$(tail -n 1 "$tmp/fetch")"
		exit 0
	fi
done
refuses not-on-offer "no kernel '9.99'; on offer: 6" "$trend" KERNELS="6.12 9.99" NAME="$name"
refuses one-kernel 'is one kernel: 6.12' "$trend" KERNELS=6.12 NAME="$name"
refuses foreign-folder 'is no trend; give another NAME' "$trend" KERNELS="6.12 newest" NAME=example-stage2-device

echo "ptelab run -o - --seed @SEED@ --batches 2 --warmup 1 --counted 1 -b gup.futex:folio=64k" > "$tmp/job"
small()
{
	"$trend" KERNELS="newest 6.12" NAME="$name" JOB="$tmp/job" SEEDS=1 TIMEOUT=1500 > "$tmp/out" 2> "$tmp/err"
}
if small; then
	ok measures
else
	not_ok measures "$(tail -n 1 "$tmp/err")"
	exit 1
fi
json=$run/trend.json
holds oldest-first '[.kernels[].label | startswith("6.12")] == [true, false]'
holds options-told '.kernels[1].options.differ > 0'
holds steps-have-functions '[.rows[] | select(.metric == "instructions_kernel") | .steps[].functions | length > 0] | all and length > 0'
before=$(stat -c %Y "$run"/*/boot-001.jsonl)
check again small
equal measured-once "$(stat -c %Y "$run"/*/boot-001.jsonl)" "$before"
