# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# trace.sh: what the tests of ptelab trace in the emulated machine share.
# Sourced after ../lib.sh, never run.
# shellcheck disable=SC2034,SC2154

# build_guest FILE...: ptelab and what else runs in the guest; a test that can't
# has failed.
build_guest()
{
	if ! { make -s && make -s VARIANT=arm64 build/arm64/ptelab "$@"; } \
			> "$tmp/make" 2>&1; then
		not_ok programs "do not build: $(grep -m 1 error "$tmp/make")"
		exit 1
	fi
}

# A case is "COMMAND|METRIC=COUNT...", "METRIC=-" for a metric that is absent.
# cases_job FILE: the commands, traced, for a job.
cases_job()
{
	sed 's/|.*//; s/^/ptelab trace --json -o - -- /' "$1"
}

# value LINE METRIC: its count in that line of $tmp/out.jsonl, "-" if absent.
value()
{
	local v

	v=$(sed -n "$1p" "$tmp/out.jsonl" |
		grep -o "\"$2\":{\"count\":[0-9]*" | grep -o '[0-9]*$')
	echo "${v:--}"
}

# check_cases NAME FILE FIRST: the cases, whose output starts at that line.
# GATHERSn is n, or twice n on kernels that read an entry twice.
check_cases()
{
	local name=$1 file=$2 line=$3 what wants want metric got twice=1

	# Newer kernels read the entry once more after taking the reference.
	[ "$(value "$line" lockless_gathers)" = 600 ] && twice=2
	while IFS='|' read -r what wants; do
		for want in ${wants//GATHERS300/$((300 * twice))}; do
			metric=${want%%=*}
			got=$(value "$line" "$metric")
			equal "$name-${what// /-}-$metric" "$got" "${want#*=}"
		done
		line=$((line + 1))
	done < "$file"
}
