#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The barrier family in the emulated arm64 machine: the program has the
# instructions that it names, every variant runs, and only counts come out.
# run: needs base
set -uo pipefail
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

lab=$top/scripts/lab
ptelab=$top/build/arm64/ptelab
need_deps lab-barrier lab arm64

# --- the instructions ---

aarch64-linux-gnu-objdump -d --no-show-raw-insn "$ptelab" > "$tmp/all.s"

# body FUNCTION: its instructions, blanks made one
body()
{
	awk -v f="<$1>:" '$2 == f { p = 1; next } /^$/ { p = 0 } p' "$tmp/all.s" |
		cut -f 2- | tr -s '\t ' ' '
}

# has FUNCTION PATTERN: has it
has()
{
	if body "$1" | grep -qE "^$2"; then
		ok "$1 has $2"
	else
		not_ok "$1 has $2" "$(body "$1" | head -n 3 | tr '\n' ';')"
	fi
}

# has_no FUNCTION PATTERN: is there and has it not
has_no()
{
	if [ -n "$(body "$1")" ] && ! body "$1" | grep -qE "^$2"; then
		ok "$1 has no $2"
	else
		not_ok "$1 has no $2" "$(body "$1" | grep -E "^$2" | head -n 1)"
	fi
}

any='(dmb|dsb|isb|stlr|ldar|ldapr|dgh|sb$)'
for f in cost_loop_plain cost_loop_copy; do
	has_no "$f" "$any"
done
for insn in 'dmb ishst' 'dmb ishld' 'dmb ish' 'dmb oshst' 'dsb st' 'dsb sy'; do
	has "loop_${insn/ /_}" "$insn\$"
done
has loop_stlr 'stlr x'
has loop_ldar 'ldar x'
has loop_ldapr 'ldapr x'
has loop_isb 'isb'
# One barrier, and nothing else that is one.
for f in dmb_ishst dmb_ishld dmb_ish dmb_oshst dsb_st dsb_sy stlr ldar ldapr isb; do
	equal "loop_$f has one barrier" "$(body "loop_$f" | grep -cE "^$any")" 1
done
has publish_loop_mb 'dmb ish$'
has publish_loop_wmb 'dmb ishst$'
has publish_loop_release 'stlr x'
equal "publish_loop_releases releases both words" "$(body publish_loop_releases | grep -c '^stlr x')" 2
has_no publish_loop_none "$any"
has observe_loop_rmb 'dmb ishld$'
has observe_loop_acquire 'ldar x'
has observe_loop_full 'dmb ish$'
has_no observe_loop_ctrl "$any"
has litmus_MP_wmb_rmb_0 'dmb ishst$'
has litmus_MP_wmb_rmb_1 'dmb ishld$'
has litmus_SB_mb_mb_0 'dmb ish$'
has litmus_MP_rel_acq_0 'stlr w'
has litmus_MP_rel_acq_1 'ldar w'

# --- one boot ---

need_kernel
need_module
# The kernel's primitives, as this kernel makes instructions of them
aarch64-linux-gnu-objdump -d --no-show-raw-insn "$module" > "$tmp/all.s"
has loop_mb 'dmb ish$'
has loop_wmb 'dmb ishst$'
has loop_rmb 'dmb ishld$'
has loop_release 'stlr x'
has loop_acquire 'ldap?r x'
has loop_full_mb 'dsb sy$'
has loop_full_wmb 'dsb st$'
has loop_full_rmb 'dsb ld$'
has loop_dma_wmb 'dmb oshst$'
has loop_dma_rmb 'dmb oshld$'
has loop_isb 'isb'
has_no loop_none "$any"
has litmus_SB_mb_mb_0 'dmb ish$'

common='ptelab run -q -o - --counter none --counted 0 --batches 2 --warmup 0'
# Four CPUs, of which the host may have only two: tests that need three or four
# start together once for many outcomes, or they would wait for each other.
cat > "$tmp/job" <<END
# qemu: -smp 4
# qemu: -object memory-backend-ram,id=bar,size=1M -device ivshmem-plain,memdev=bar,addr=0x4
# qemu: -device nvme,serial=cmb,cmb_size_mb=2,addr=0x5
$common -n 1000 -b barrier.mp:barriers=each -b barrier.sb:barriers=each -b barrier.lb:barriers=each -b barrier.s:barriers=each -b barrier.r:barriers=each -b barrier.2+2w:barriers=each
$common -n 500 -b barrier.wrc:barriers=each:start=none -b barrier.iriw:barriers=each:start=none
$common -n 500 -b barrier.publish:writer=each:reader=each:watch=each
$common -n 500 -b barrier.publish:measure=each:words=4
$common -n 1000 -b barrier.cost:barrier=each:state=l1,owned
$common -n 1000 -b barrier.cost:barrier=dmb.oshst,dsb.st:state=mmio -p bar=00:04.0/2
$common -n 1000 -b barrier.cost:barrier=dmb.oshst:state=mmio:force=no,yes -p bar=00:05.0/2
$common -n 1000 -b barrier.sb:where=kernel:barriers=each -b barrier.mp:where=kernel:barriers=none,wmb+rmb,rel+acq
$common -n 10000 -b barrier.sb:barriers=none:where=user,kernel
END
if "$lab/boot" --image "$kernel/Image" --ptelab "$ptelab" --job "$tmp/job" --mode race --module "$module" \
		--timeout 1800 --out "$tmp/race.jsonl" > "$tmp/end" 2>&1; then
	ok "the machine runs them"
else
	not_ok "the machine runs them" "$(tail -n 1 "$tmp/end")"
fi
jq -s 'map(select(.type == "point" and .bench != "harness.empty"))' "$tmp/race.jsonl" > "$tmp/points.json"
json=$tmp/points.json

holds "no point fails" 'map(select(.status != "ok" and .status != "unavailable") | [.bench, .params, .reason]) | if . == [] then true else . end'
holds "all litmus tests are run" 'map(select(.params.where == "user" and .status == "ok")) | unique_by(.bench, .params) | length == 54'
holds "and those asked for in the kernel" 'map(select(.params.where == "kernel" and .status == "ok")) | unique_by(.params, .bench) | length == 8'
holds "all pairs of the publish pattern" 'map(select(.params.measure == "order" and .params.words == 16 and .status == "ok")) | length == 50'
holds "all instructions of arm64, in both states" 'map(select(.bench == "barrier.cost" and .params.state != "mmio" and .status == "ok")) |
	map(.params.barrier) | unique | map(select(test("^smp_|mb$|kernel") | not)) | length == 11'
holds "all primitives of the kernel, in both states" 'map(select(.bench == "barrier.cost" and .status == "ok" and (.params.barrier | test("^smp_|mb$|kernel")))) | length == 22'
holds "a BAR that a driver owns is taken only if told to" 'map(select(.params.bar == "00:05.0/2")) | length == 2 and
	(.[0] | .status == "unavailable" and (.reason | test("belongs to the driver nvme; force=yes"))) and (.[1] | .status == "ok" and .proof.read_back)'
holds "stores to a BAR arrive" 'map(select(.params.bar == "00:04.0/2")) | length == 2 and all(.[]; .status == "ok" and .proof.read_back)'
holds "those of x86-64 are unavailable" 'map(select(.bench == "barrier.cost" and .params.state != "mmio" and .status == "unavailable")) |
	length == 8 and all(.[]; .reason | test("instruction of x86-64"))'
holds "nothing is reported as time" 'all(.[]; [.counters // {} | keys[]] | all(.[]; test("(^|_)(ns|cycles)($|\\.)") | not))'
holds "nor in a proof" 'all(.[]; .proof | (has("seconds") or has("told") or has("round_trip_ns")) | not)'
holds "costs say why they are absent" 'map(select(.bench == "barrier.cost" and .status == "ok")) | all(.[]; .absent.barrier_ns | test("emulated"))'
holds "latency is unavailable" 'map(select(.params.measure == "latency")) | length == 1 and .[0].status == "unavailable"'
# A busy host may let the two run at the same time too seldom: then once more.
sb='map(select(.bench == "barrier.sb" and .params.barriers == "none")) | group_by(.params.where) |
	length == 2 and all(.[]; length >= 2 and (map(.proof.witnesses) | add > 0))'
echo "$common -n 20000 -b barrier.sb:barriers=none:where=user,kernel" > "$tmp/job"
for ((i = 0; i < 5; i++)); do
	[ "$(jq -c "$sb" "$tmp/points.json" 2>&1)" != true ] || break
	"$lab/boot" --image "$kernel/Image" --ptelab "$ptelab" --job "$tmp/job" --mode race --module "$module" \
		--timeout 1800 --out "$tmp/again.jsonl" > "$tmp/end" 2>&1
	jq -s 'map(select(.type == "point" and .bench != "harness.empty"))' \
		"$tmp/race.jsonl" "$tmp/again.jsonl" > "$tmp/points.json"
done
holds "SB without barriers is seen, here and in the kernel" "$sb"
# The architecture orders a store-release before a load-acquire. QEMU up to 7.2
# at least does not, where the host is x86-64: a plain store and a plain load.
holds "nothing that a model in force forbids, but what QEMU gets wrong" 'map(select(.status == "ok" and (.proof.forbidden_by // [] | length > 0) and .proof.outcomes and
	.params.barriers != "relacq+relacq")) |
	length > 50 and all(.[]; .counters.forbidden_outcomes.total == 0)'
awk '/"type":"header"/ && n++ { exit } { print }' "$tmp/race.jsonl" > "$tmp/first.jsonl"
"$top/build/native/ptelab" show "$tmp/first.jsonl" --format barriers > "$tmp/table" 2>&1
case $(jq '[.[] | select(.params.barriers == "relacq+relacq").counters.forbidden_outcomes.total] | add' "$tmp/points.json") in
0) skip "forbidden-outcome" "this QEMU orders stlr before ldar" ;;
*) check "forbidden-outcome: SB with stlr and ldar" grep -q '^\* forbidden-outcome: barrier.sb barriers=relacq+relacq' "$tmp/table" ;;
esac
holds "the models in force are those of arm64" 'map(select(.bench == "barrier.mp" and .params.barriers == "wmb+rmb").proof.forbidden_by) | unique | . == [["LKMM", "AArch64"]]'
if [ "$(uname -m)" = x86_64 ]; then
	holds "emulated on x86-64, it is named as unable to exhibit MP" 'map(select(.bench == "barrier.mp").proof) |
		length == 23 and all(.[]; .witnesses == 0 and (.no_evidence | test("it is emulated on x86-64")))'
fi

# --- and one with exact counts: what each primitive adds to the kernel's loop ---

cat > "$tmp/job" <<END
# qemu: -device nvme,serial=cmb,cmb_size_mb=2,addr=0x5
# module
ptelab run -q -o - --counted 0 --batches 3 --warmup 1 -b barrier.cost:barrier=each:stores=0,4
END
if "$lab/boot" --image "$kernel/Image" --ptelab "$ptelab" --job "$tmp/job" --module "$module" \
		--out "$tmp/exact.jsonl" > "$tmp/end" 2>&1; then
	ok "exact boot"
else
	not_ok "exact boot" "$(tail -n 1 "$tmp/end")"
fi
jq -s 'map(select(.type == "point" and .bench == "barrier.cost" and .status == "ok"))' "$tmp/exact.jsonl" > "$tmp/points.json"
# A release or an acquire takes the place of a store or a load; its address may
# be made before the loop.
holds "one instruction each, in user space and in the kernel" 'map(select(.params.barrier != "none")) | length == 42 and
	all(.[]; .counters.barrier_instructions.per_op as $n | if .params.barrier | test("^(stlr|ldapr|ldar|smp_store|smp_load)")
		then $n >= 0 and $n < 0.01 else $n == 1 end)'
holds "none is none" 'map(select(.params.barrier == "none")) | length == 2 and all(.[]; .counters.barrier_instructions.per_op == 0)'
holds "no time of them" 'all(.[]; (.counters | has("barrier_ns") | not) and (.absent.barrier_ns | test("emulated")))'
