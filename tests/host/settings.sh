#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Runs that change this machine's settings at the same time and are killed at any
# moment: afterwards the settings are as before. Each takes one lock and one journal,
# so that none takes for the old value what another has set. Unit tests (tune, journal)
# kill one at each of its system calls; here it is the machine's own settings.
#
#	KILLS=18	so many runs
# run: here
set -uo pipefail
. "$(dirname "$0")/../lib.sh"
ptelab=$top/build/native/ptelab
thp=/sys/kernel/mm/transparent_hugepage

if [ "$(id -u)" -ne 0 ]; then
	skip settings "only root may change settings"
	exit 0
fi
need_proofs settings

settings()
{
	tail -n +1 $thp/{enabled,defrag,shmem_enabled,use_zero_page} $thp/hugepages-*/{enabled,shmem_enabled} \
		$thp/khugepaged/{defrag,max_ptes_none} /proc/sys/kernel/{watchdog,timer_migration,numa_balancing} \
		/proc/sys/vm/{compaction_proactiveness,percpu_pagelist_high_fraction} \
		/sys/kernel/mm/ksm/{run,pages_to_scan,sleep_millisecs} 2> /dev/null
}

# What an earlier test left, if anything did
"$ptelab" run -q -b harness.empty -o "$tmp/first" > /dev/null 2>&1
before=$(settings)
RANDOM=1
changed=0
kills=${KILLS:-18}
for ((round = 1; 3 * round <= kills + 2; round++)); do
	pids=()
	for i in 1 2 3; do
		# Several, so that most end by SIGKILL while they measure, some while they wait
		"$ptelab" run -q --tune -b fault.anon_write -b fault.file -b notifier.collapse \
			-p folio=64k,2m --batches 1000 -o "$tmp/r$round-$i" > /dev/null 2>&1 &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		sleep "0.$((RANDOM % 1000 + 1000))"
		[ "$(settings)" = "$before" ] || changed=$((changed + 1))
		kill -KILL "$pid" 2> /dev/null
	done
	wait "${pids[@]}" 2> /dev/null
done
if [ "$changed" -eq 0 ]; then
	skip "killed side by side" "no run had changed a setting when it was killed"
else
	"$ptelab" run -q -b harness.empty -o "$tmp/last" > /dev/null 2> "$tmp/err"
	equal "killed side by side: settings are as before" "$(settings)" "$before"
	equal "killed side by side: nothing is left to undo" "$(cat /run/ptelab/journal)" ""
	echo "# $((3 * round - 3)) runs were killed, $changed of them when settings were changed"
fi
