#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# three-way.sh: a driver's callbacks (ptelab.ko), ptelab's BPF programs and
# bpftrace count the same mmu notifier calls, operation by operation.
# run: needs base root
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

need_lab three-way mmdebstrap
need_kernel
need_module
if ! make -s VARIANT=arm64 build/arm64/ptelab build/arm64/tests/bpf/three_way \
		> "$tmp/make" 2>&1; then
	not_ok three_way "does not build: $(grep -m 1 error "$tmp/make")"
	exit 1
fi
if ! scripts/lab/root > "$tmp/root" 2> "$tmp/err"; then
	skip three-way "$(tail -n 1 "$tmp/err")"
	exit 0
fi

echo "ptelab trace -q --json -o - -e faults.minor --bt /three_way.bt -- /bin/three_way" > "$tmp/job"
tests/bpf/boot-root "$kernel/Image" build/arm64/ptelab "$tmp/job" "$tmp/out.jsonl" \
	build/arm64/tests/bpf/three_way:bin/three_way tests/bpf/three_way.bt:three_way.bt \
	"$module:modules/ptelab.ko" > "$tmp/end" 2>&1
if ! grep -q '^count ' "$tmp/out.jsonl"; then
	not_ok three-way-boot "$(tail -n 1 "$tmp/end")"
	exit 1
fi
equal every-operation-happened "$(grep '^few ' "$tmp/out.jsonl")" ""

grep '^{' "$tmp/out.jsonl" | jq -r '.counters | to_entries[] | "\(.key) \(.value.count)"' > "$tmp/third"

# What bpftrace says of a phase and an event; a map without the key is 0.
third()
{
	local key=bt.start.$1.$3

	case $2 in
	end|secondary) key=bt.$2.$1 ;;
	esac
	awk -v key="$key" '$1 == key { n = $2 } END { print n + 0 }' "$tmp/third"
}

ops=0 all=0
while read -r op; do
	event=0 said='' want='' total=0
	while read -r _ phase _ name module_says bpf_says; do
		said="$said $name=$module_says/$bpf_says/$(third "$phase" "$name" "$event")"
		want="$want $name=$module_says/$module_says/$module_says"
		total=$((total + module_says))
		event=$((event + 1))
	done < <(awk -v op="$op" '$1 == "count" && $3 == op' "$tmp/out.jsonl")
	equal "three-counts-agree-$op" "$said" "$want"
	ops=$((ops + 1)) all=$((all + total))
done < <(awk '/^count / && !seen[$3]++ { print $3 }' "$tmp/out.jsonl")
equal operations-compared "$ops" 11
echo "# $all calls counted three times"
