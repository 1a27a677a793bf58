#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# kmod.sh: ptelab.ko in the emulated machine: each of its functions against
# what is known to be true, the retries that it knows against those that ptelab
# trace counts, random calls, kills, loading and unloading; then the same on a
# kernel that watches memory, locks and RCU. Nothing may be in the kernel's log.
#
#	PARTS="base debug"	only these of: base debian 7.3 debug kcsan. By default
#				base, debian (Debian's newest 7.3, of which nothing
#				is built but the module) if it was fetched, and 7.3
#				and debug where their kernels are in the cache, as
#				each takes ten minutes to build; make test-debug
#				does all, kcsan to find data races
#	CALLS=100000		so many random calls on the debug kernel
# run: needs base
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

need_deps kmod build lab arm64
cd "$top" || exit 1
if ! { make -s build/native/ptelab &&
       make -s VARIANT=arm64 build/arm64/ptelab build/arm64/tests/kmod/test_kmod; } \
		> "$tmp/make" 2>&1; then
	not_ok programs "do not build: $(grep -m 1 -i error "$tmp/make")"
	exit 1
fi

complaints='WARNING|Trying to free nonexistent|BUG:|INFO: |Internal error|Call trace|KASAN|KCSAN|UBSAN|suspicious RCU|possible .* deadlock|sleeping function|suspected memory leaks|leaked|stalls on|soft lockup|blocked for more'

# said CONSOLE: what the kernel complained about. The kernel has data races of
# its own; those are meant that have the module in one of their stacks.
said()
{
	if [ "$part" = kcsan ]; then
		tr -d '\r' < "$1" | awk '/==========/ { if (block ~ /KCSAN/ && block ~ /\[ptelab\]/) print block; block = "" }
			{ block = block $0 "|" }
			/(WARNING|BUG): / && !/KCSAN/' | grep -a .
	else
		tr -d '\r' < "$1" | grep -aE "$complaints"
	fi
}

# boot NAME MODE TEST...: a boot in which each TEST, test_kmod's arguments, is
# run in turn; each is a test here, and what the kernel said is one more. At
# its end the points in $points, if any, are measured. The module is loaded,
# or, for "load", where ptelab finds it.
points=''
boot()
{
	local name=$1 mode=$2 out=$tmp/$1.jsonl t n with=--module
	local -a tests
	shift 2
	tests=("$@")
	[ "$*" != load ] || with=--file

	printf '%s\n' "$@" | sed -E "s/^(trace )?/\\1test_kmod /; s/^trace /ptelab trace --json -o - -e 'lockless_*' -- /" > "$tmp/job"
	[ -z "$points" ] ||
		echo "ptelab run -q -o - --batches 1 --warmup 0 --counted 1 $points" >> "$tmp/job"
	scripts/lab/boot --image "$kernel/Image" --ptelab build/arm64/ptelab \
		--file build/arm64/tests/kmod/test_kmod:bin/test_kmod \
		--qemu -object --qemu memory-backend-ram,id=spare,size=1M \
		--qemu -device --qemu ivshmem-plain,memdev=spare,addr=0x1e \
		"$with" "$module$([ $with = --module ] || echo :bin/ptelab.ko)" --job "$tmp/job" --out "$out" --mode "$mode" \
		--timeout "${TIMEOUT:-1800}" > "$tmp/boot" 2>&1
	# A line for each test: PASS or FAIL, its name, checks, skipped, the
	# first failure
	awk '/^ok / { n++ } /^skip / { s++ }
		/^not ok / && bad == "" { bad = $0 }
		/^(PASS|FAIL) / {
			sub(":", "", $2)
			print $1, $2, n + 0, s + 0, bad
			n = s = 0
			bad = ""
		}' "$out" > "$tmp/results"
	n=0
	for t in "${tests[@]}"; do
		n=$((n + 1))
		t=${t#trace }
		sed -n "${n}p" "$tmp/results" > "$tmp/result"
		read -r verdict what checks skipped why < "$tmp/result"
		if [ "$verdict $what" != "PASS ${t%% *}" ]; then
			not_ok "$name-${t%% *}" "${why:-$(head -n 1 "$tmp/boot")}"
		elif [ "$checks" -eq 0 ]; then
			not_ok "$name-${t%% *}" "checked nothing: $(grep -m 1 '^skip ' "$out")"
		else
			ok "$name-${t%% *} ($checks checks, $skipped skipped)"
		fi
	done
	if said "${out%.jsonl}.console" > "$tmp/said"; then
		not_ok "$name-kernel-log" "$(head -n 1 "$tmp/said")"
	else
		check "$name-kernel-log" grep -aq 'Linux version' "${out%.jsonl}.console"
	fi
	grep '^# [A-Z_]*: .* good .* bad\|calls in' "$out" | sed 's/^ok /# /'
}

# The last boot had "trace watch": the module knows each retry by a watchpoint,
# ptelab trace by BPF programs where it thinks that the reader starts again.
retries_agree()
{
	local out=$tmp/$1.jsonl reads retries

	read -r reads retries < <(sed -n 's/^# all: \([0-9]*\) reads, \([0-9]*\) retries$/\1 \2/p' "$out")
	equal "$1-traced-gathers-are-the-reads" \
		"$(grep -o '"lockless_gathers":{"count":[0-9]*' "$out" | grep -o '[0-9]*$')" \
		"${reads:-none}"
	equal "$1-traced-retries-are-the-retries" \
		"$(grep -o '"lockless_retries":{"count":[0-9]*' "$out" | grep -o '[0-9]*$')" \
		"${retries:-none}"
	check "$1-there-were-retries" test "${retries:-0}" -gt 1000
	echo "# $1: $reads reads, $retries retries, sites $sites"
}

# total BOOT SELECTION METRIC: of the points that a jq condition selects, all of
# which must have been measured and proved
total()
{
	jq -rs --arg m "$3" "map(select(.type? == \"point\") | select($2)) |
		if length == 0 or any(.status != \"ok\") then \"none\"
		else (map(.counters[\$m].total) | add) end" \
		<(grep '^{' "$tmp/$1.jsonl") 2> /dev/null
}

more_than_0()
{
	check "$1" test "$2" -gt 0
}

# The lockless benchmarks of the boot before.
returned_values()
{
	local kernel='.params.reader == "kernel"' single='.params.reader == "single"'
	local reader name

	if [[ $1 != *race ]]; then
		equal "$1-gup-gathers-once-a-page" "$(total "$1" \
			'.bench == "gup.driver" and .params.folio == "64k"' lockless_gathers)" \
			"$(total "$1" '.bench == "gup.driver" and .params.folio == "64k"' gup_fast_pages)"
		equal "$1-lockless-is-ptep_get-without-a-race" \
			"$(total "$1" '.bench == "lockless.compare"' lockless_different)" 0
		equal "$1-every-quiet-read-is-true" "$(total "$1" \
			'.bench == "lockless.recheck"' recheck.mixed)" 0
		return
	fi
	# Bits that are gone by the recheck: a recheck of all bits sees each, one
	# without access and dirty does not.
	for reader in "$kernel" "$single"; do
		name=$1-$(tr -dc '[:lower:]' <<< "${reader#*==}")
		more_than_0 "$name-dirty-bits-gone" "$(total "$1" "$reader" recheck.dirty_gone)"
		equal "$name-dirty-bits-all-caught" "$(total "$1" "$reader" recheck.dirty_gone_uncaught)" 0
		more_than_0 "$name-dirty-bits-uncaught-if-relaxed" \
			"$(total "$1" "$reader" recheck.dirty_gone_uncaught_relaxed)"
	done
	# What one entry says of access and dirty need not be true of the block.
	more_than_0 "$1-single-mixes" "$(total "$1" "$single" recheck.mixed)"
	equal "$1-single-never-gathers" "$(total "$1" "$single" lockless_gathers)" 0
	more_than_0 "$1-kernel-retries" "$(total "$1" "$kernel" lockless_retries)"
	echo "# $1: dirty gone at the recheck: kernel's reader $(total "$1" "$kernel" recheck.dirty_gone), of one entry $(total "$1" "$single" recheck.dirty_gone); not seen by a relaxed recheck $(total "$1" "$kernel" recheck.dirty_gone_uncaught_relaxed), $(total "$1" "$single" recheck.dirty_gone_uncaught_relaxed); of $(total "$1" "$kernel" lockless_gathers) reads each"
}

# on NAME [OPTION...]: $kernel as scripts/lab/kernel's OPTIONs say, its $module,
# and in $sites where its reader starts again
on()
{
	local name=$1
	shift

	if ! kernel=$(scripts/lab/kernel "$@" 2> "$tmp/err"); then
		not_ok "$name-kernel" "$(tail -n 1 "$tmp/err")"
		return 1
	fi
	if ! module=$(scripts/lab/module "$kernel" 2> "$tmp/err"); then
		not_ok "$name-module" "$(tail -n 1 "$tmp/err")"
		return 1
	fi
	build/native/ptelab trace --explain-retry --vmlinux "$kernel/vmlinux" \
		> "$tmp/explained" 2>&1
	sites=$(sed -n 's/^retries = hits of //p' "$tmp/explained" |
		grep -v 'less the calls' | grep -oE '0x[0-9a-f]+' | xargs)
}

# cached NAME [OPTION...]: whether there is such a kernel, or PARTS asks for it
cached()
{
	local name=$1 dir
	shift

	[ -z "${PARTS:-}" ] || return 0
	if ! dir=$(scripts/lab/kernel "$@" --where 2> "$tmp/err") || [ ! -d "$dir" ]; then
		skip "kmod-$name" "no such kernel in the cache; make test-debug builds it, in ten minutes"
		return 1
	fi
}

# A module that thinks that the kernel is locked down, see lockdown.h
locked_down()
{
	local module=$tmp/locked/ptelab.ko
	local tree=${PTELAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ptelab}/trees/${kernel##*/}

	if [ ! -f "$tree/Makefile" ]; then
		skip base-lockdown "the built tree of ${kernel##*/} is no longer in the cache; remove $kernel, and both are built again"
		return
	fi
	if ! make -s -C kmod KDIR="$tree" OUT="$tmp/locked" ARCH=arm64 \
			CROSS_COMPILE="${CROSS_COMPILE:-aarch64-linux-gnu-}" \
			CFLAGS_MODULE="-include $top/tests/kmod/lockdown.h" > "$tmp/make" 2>&1; then
		not_ok base-lockdown-module "$(grep -m 1 -i error "$tmp/make")"
		return
	fi
	boot base-lockdown exact lockdown
}

# wants N: as many must the retry-site finder have found
wants()
{
	equal "$part-retry-sites" "$(wc -w <<< "$sites")" "$1"
}

functions=(abi ptes notify shadow gup retry barrier bar)
for part in ${PARTS:-base debian 7.3 debug}; do
	case $part in
	base)
		on base || continue
		wants 1
		points='-b lockless.compare:folio=4k,64k:dirty=all,some -b lockless.recheck:writer=none:reader=kernel,single:entry=0,7,15 -b gup.driver:how=get,pin,longterm:folio=4k,64k'
		boot base exact "${functions[@]}" "trace watch $sites"
		retries_agree base
		returned_values base
		points='-n 300000 -b lockless.recheck:reader=kernel,single:writer=age'
		boot base-race race "${functions[@]}" "life 50 1" "fuzz 20000 1" \
			"trace watch $sites"
		retries_agree base-race
		returned_values base-race
		points=''
		boot base-load exact load
		locked_down
		;;
	debian)
		cached=--cached
		[ -z "${PARTS:-}" ] || cached=''
		# shellcheck disable=SC2086
		if ! kernel=$(scripts/lab/debian-kernel $cached 7.3 2> "$tmp/err") ||
		   ! module=$(scripts/lab/debian-kernel --module $cached 7.3 2> "$tmp/err"); then
			skip kmod-debian "$(tail -n 1 "$tmp/err"); PARTS=debian fetches it"
			continue
		fi
		boot debian exact "${functions[@]}"
		boot debian-race race retry "life 5 1" "fuzz 5000 1"
		;;
	7.3)
		cached 7.3 --kernel 7.3 || continue
		on 7.3 --kernel 7.3 || continue
		wants 2
		boot 7.3 exact "${functions[@]}" "trace watch $sites"
		retries_agree 7.3
		boot 7.3-race race retry "life 20 1" "fuzz 10000 1" "trace watch $sites"
		retries_agree 7.3-race
		;;
	debug)
		cached debug --config tests/kmod/debug.config || continue
		on debug --config tests/kmod/debug.config || continue
		# What depends on something that is off is dropped: these must not.
		for option in KASAN KASAN_VMALLOC PROVE_LOCKING PROVE_RCU \
				DEBUG_ATOMIC_SLEEP DEBUG_KMEMLEAK UBSAN DEBUG_VM; do
			check "debug-has-$option" grep -qx "CONFIG_$option=y" "$kernel/.config"
		done
		boot debug race "${functions[@]}" "life 20 1" "fuzz ${CALLS:-100000} 1"
		;;
	kcsan)
		on kcsan --config tests/kmod/kcsan.config || continue
		check kcsan-config grep -qx CONFIG_KCSAN=y "$kernel/.config"
		boot kcsan race "${functions[@]}" "life 10 1" "fuzz 5000 1"
		;;
	*)
		not_ok kmod "no part '$part'"
		;;
	esac
done
