#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# releases.sh: two of Debian's own kernels compared, with no kernel built.
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

need_deps lab-releases build arm64 boot plot test
unset_make_vars
debian=$top/scripts/lab/debian-kernel
name=test-releases-$$
run=$top/runs/$name
trap 'rm -rf "$tmp" "$run" "$run.new"' EXIT

for k in 6.12 newest; do
	if ! "$debian" "$k" > /dev/null 2> "$tmp/fetch"; then
		skip lab-releases "$(tail -n 1 "$tmp/fetch")"
		exit 0
	fi
done
refuses not-on-offer "no kernel '9.99'; on offer: 6" "$debian" 9.99
refuses ab-not-on-offer "no kernel '9.99'; on offer: 6" "$top/scripts/ab" RELEASES="6.12 9.99" NAME="$name"
if unshare -n true 2> /dev/null; then
	refuses no-network 'package lists cannot be fetched: ' \
		env PTELAB_CACHE="$tmp/cache" unshare -n "$debian" 6.12
else
	skip no-network "no network namespace can be made here"
fi
if unshare -m sh -c "mkdir '$tmp/small' && mount -t tmpfs -o size=4m none '$tmp/small'" 2> /dev/null; then
	# shellcheck disable=SC2016
	refuses full-disk 'MB left, and [0-9]+ MB are needed' unshare -m sh -c \
		'mount -t tmpfs -o size=4m none "$0" && PTELAB_CACHE=$0 exec "$1" 6.12' "$tmp/small" "$debian"
else
	skip full-disk "no file system can be mounted here"
fi

echo "ptelab run -o - --seed @SEED@ --batches 2 --warmup 1 --counted 1 -b gup.futex -b gup.fast -b fault.anon_write -b notifier.mprotect:secondary=module -p folio=64k" > "$tmp/job"
if "$top/scripts/ab" RELEASES="6.12 newest" NAME="$name" SEEDS=1 JOB="$tmp/job" \
		TIMEOUT=1500 > "$tmp/out" 2> "$tmp/err"; then
	ok compares
else
	not_ok compares "$(tail -n 1 "$tmp/err")"
	exit 1
fi
# json FILTER: of compare.json
json()
{
	jq -r "$1" "$run/compare.json"
}
equal built-nothing "$(grep -c 'kernels fetched in' "$tmp/out")" 1
check says-two-releases grep -q 'are two releases: ' "$run/table.txt"
equal calls-nothing-a-regression "$(grep -cE 'regression|improvement' "$run/table.txt")" 0
equal two-releases-in-json "$(json 'has("two_releases")')" true
equal differences-are-allowed "$(json '[.environment_differences[] | select(.matters and (.allowed | not))] | length')" 0
equal options-that-differ "$(grep -oE 'differ in [0-9]+ options' "$run/table.txt" | cut -d' ' -f3)" "$(wc -l < "$run/config.diff")"
check has-options-that-differ test -s "$run/config.diff"
# one BENCH METRIC: its value on base and on new
one()
{
	json "def v: if type == \"object\" then .median else . end;
		.results[] | select(.bench == \"$1\" and .metric == \"$2\" and .params.folio == \"64k\") | \"\(.base | v) \(.new | v)\""
}
equal futex-is-gup-fast "$(one gup.futex gup_fast_calls)" "1 1"
equal futex-never-slow "$(one gup.futex gup_slow_pages)" "0 0"
equal one-fault-a-write "$(one fault.anon_write faults.minor)" "1 1"
check gathers test "$(one gup.futex lockless_gathers | cut -d' ' -f1)" -ge 1
check says-why-no-gup-test grep -q CONFIG_GUP_TEST "$run/rows.txt"
check says-why-no-module grep -q 'needs ptelab.ko' "$run/rows.txt"
check names-functions grep -Eq '^ +[a-z_]+ .* [+-][0-9.]+ ' <("$top/build/native/ptelab" explain "$run/base" "$run/patched" -b gup.futex)
check knows-gup-fast grep -q 'gup_fast_fallback\|internal_get_user_pages_fast' <("$top/build/native/ptelab" explain "$run/base" "$run/patched" -b gup.futex --rows 99)
