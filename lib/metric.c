// SPDX-License-Identifier: GPL-2.0
/* See metric.h. */
#include "lib/metric.h"

#include <ctype.h>
#include <string.h>

#include "lib/counter.h"
#include "lib/util.h"

/* Most rows are not a cost, and leave out cost_rank and word. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
const struct metric metrics[] = {
	{ "ns", "ns", METRIC_TIME, BETTER_LOWER,
	  "time of the operation", 1 },
	{ "cycles", "cycles", METRIC_TIME, BETTER_LOWER,
	  "CPU cycles, user and kernel", 2 },
	{ "instructions", "instructions", METRIC_INSTRUCTIONS, BETTER_LOWER,
	  "instructions retired, user and kernel", 4 },
	{ "instructions_user", "instructions", METRIC_INSTRUCTIONS,
	  BETTER_LOWER, "instructions retired in user mode", 5 },
	{ "instructions_kernel", "instructions", METRIC_INSTRUCTIONS,
	  BETTER_LOWER, "instructions retired in the kernel", 3 },
	{ "barrier_ns", "ns", METRIC_TIME, BETTER_LOWER,
	  "time that the barrier adds to the loop without it" },
	{ "barrier_cycles", "cycles", METRIC_TIME, BETTER_LOWER,
	  "cycles that the barrier adds" },
	{ "barrier_instructions", "instructions", METRIC_INSTRUCTIONS,
	  BETTER_LOWER, "instructions that the barrier adds" },
	{ "plain_ns", "ns", METRIC_TIME, BETTER_NONE,
	  "time of the loop without the barrier" },
	{ "latency_ns.*", "ns", METRIC_TIME, BETTER_LOWER,
	  "from just before the store until another CPU has seen it, by percentile" },
	{ "usable_ns.*", "ns", METRIC_TIME, BETTER_LOWER,
	  "from just before the store until another CPU has read what was published, by percentile" },
	{ "forbidden_outcomes", "outcomes", METRIC_EVENT, BETTER_LOWER,
	  "outcomes that a memory model in force forbids",
	  0, "forbidden outcome" },
	{ "instructions_guest", "instructions", METRIC_INSTRUCTIONS,
	  BETTER_LOWER, "instructions retired by the guest that the operation runs" },
	{ "ns_per_byte", "ns", METRIC_TIME, BETTER_LOWER,
	  "time of the operation per byte stored" },
	{ "mb_per_s", "MB/s", METRIC_TIME, BETTER_HIGHER,
	  "rate of stores, up to the load that shows that the last ones have arrived" },
	{ "empty_ns", "ns", METRIC_TIME, BETTER_NONE,
	  "time of the same loop without the stores" },
	{ "readback_ns.*", "ns", METRIC_TIME, BETTER_LOWER,
	  "time of a load from a device right after stores to it, by percentile" },
	{ "harness_instructions", "instructions", METRIC_INSTRUCTIONS,
	  BETTER_LOWER, "instructions other than the stores and what flush= adds after them" },
	{ "loop_instructions", "instructions", METRIC_INSTRUCTIONS,
	  BETTER_LOWER, "instructions of the kernel's function other than its stores: its loop, loads and barriers" },
	{ "faults.minor", "faults", METRIC_EVENT, BETTER_LOWER,
	  "page faults served without I/O",
	  0, "minor fault" },
	{ "faults.major", "faults", METRIC_EVENT, BETTER_LOWER,
	  "page faults that waited for I/O",
	  0, "major fault" },
	{ "faults.reused", "pages", METRIC_EVENT, BETTER_NONE,
	  "write faults that reused the page (vmstat pgreuse)" },
	{ "pages_pinned", "pages", METRIC_EVENT, BETTER_NONE,
	  "pages pinned, fast or slow (vmstat nr_foll_pin_acquired)" },
	{ "racer_rounds", "rounds", METRIC_EVENT, BETTER_NONE,
	  "times the racing CPU changed the page tables under the operation" },
	{ "gup_fast_calls", "calls", METRIC_EVENT, BETTER_NONE,
	  "calls of GUP-fast" },
	{ "gup_fast_pages", "pages", METRIC_EVENT, BETTER_NONE,
	  "pages that GUP-fast returned" },
	{ "gup_slow_pages", "pages", METRIC_EVENT, BETTER_LOWER,
	  "pages that GUP-fast left to the slow path",
	  0, "slow-GUP page" },
	{ "lockless_gathers", "calls", METRIC_EVENT, BETTER_LOWER,
	  "lockless reads that gathered a whole contpte block",
	  0, "contpte gather" },
	{ "lockless_retries", "retries", METRIC_EVENT, BETTER_LOWER,
	  "retries of lockless reads that gather a contpte block",
	  0, "retry" },
	{ "retries_per_1000_gathers", "retries", METRIC_EVENT, BETTER_LOWER,
	  "retries per 1,000 such reads in a race; 0 without such reads" },
	{ "lockless_different", "entries", METRIC_EVENT, BETTER_LOWER,
	  "entries for which ptep_get_lockless() and ptep_get() differ, without a race",
	  0, "wrong read" },
	{ "recheck.mixed", "reads", METRIC_EVENT, BETTER_LOWER,
	  "lockless reads whose access and dirty bits were never true at the same time" },
	{ "recheck.unchecked", "reads", METRIC_EVENT, BETTER_NONE,
	  "lockless reads with too many changes meanwhile to check them" },
	{ "recheck.dirty_gone", "reads", METRIC_EVENT, BETTER_LOWER,
	  "lockless reads that returned dirty when no entry is dirty at the recheck" },
	{ "recheck.dirty_gone_uncaught", "reads", METRIC_EVENT, BETTER_LOWER,
	  "recheck.dirty_gone that a recheck of all bits does not detect" },
	{ "recheck.dirty_gone_uncaught_relaxed", "reads", METRIC_EVENT,
	  BETTER_LOWER,
	  "recheck.dirty_gone that a recheck without access and dirty does not detect" },
	{ "recheck.dirty_missed", "reads", METRIC_EVENT, BETTER_LOWER,
	  "lockless reads that returned clean when an entry is dirty at the recheck" },
	{ "recheck.young_gone", "reads", METRIC_EVENT, BETTER_NONE,
	  "lockless reads that returned young when no entry is young at the recheck" },
	{ "recheck.young_gone_uncaught", "reads", METRIC_EVENT, BETTER_NONE,
	  "recheck.young_gone that a recheck of all bits does not detect" },
	{ "recheck.young_gone_uncaught_relaxed", "reads", METRIC_EVENT,
	  BETTER_NONE,
	  "recheck.young_gone that a recheck without access and dirty does not detect" },
	{ "recheck.young_missed", "reads", METRIC_EVENT, BETTER_NONE,
	  "lockless reads that returned old when an entry is young at the recheck" },
	{ "contpte_folds", "folds", METRIC_EVENT, BETTER_NONE,
	  "blocks folded into a contpte block",
	  0, "contpte fold" },
	{ "contpte_unfolds", "unfolds", METRIC_EVENT, BETTER_NONE,
	  "contpte blocks unfolded into single entries",
	  0, "contpte unfold" },
	{ "notifier_start", "calls", METRIC_EVENT, BETTER_LOWER,
	  "invalidate_range_start calls, of any event",
	  0, "notifier start" },
	{ "notifier_start.*", "calls", METRIC_EVENT, BETTER_LOWER,
	  "invalidate_range_start calls, by event" },
	{ "notifier_end", "calls", METRIC_EVENT, BETTER_LOWER,
	  "invalidate_range_end calls",
	  0, "notifier end" },
	{ "notifier_secondary", "calls", METRIC_EVENT, BETTER_NONE,
	  "arch_invalidate_secondary_tlbs calls",
	  0, "secondary invalidation" },
	{ "notifier_young.*", "calls", METRIC_EVENT, BETTER_NONE,
	  "clear_flush_young, clear_young and test_young calls" },
	{ "kvm_unmap_hva", "calls", METRIC_EVENT, BETTER_LOWER,
	  "unmap requests that reached KVM, with or without a memslot" },
	{ "kvm_zap_calls", "calls", METRIC_EVENT, BETTER_LOWER,
	  "KVM unmap requests that overlapped a memslot" },
	{ "kvm_zapped_leaves", "leaves", METRIC_EVENT, BETTER_LOWER,
	  "stage-2 leaf entries removed",
	  0, "KVM zap" },
	{ "kvm_zapped_blocks", "blocks", METRIC_EVENT, BETTER_LOWER,
	  "stage-2 block entries removed, each of many pages",
	  0, "KVM block zap" },
	{ "kvm_zapped.*", "leaves", METRIC_EVENT, BETTER_LOWER,
	  "stage-2 leaf and block entries removed, by the event that asked for it" },
	{ "kvm_guest_faults", "faults", METRIC_EVENT, BETTER_LOWER,
	  "stage-2 faults taken, including MMIO",
	  0, "stage-2 fault" },
	{ "kvm_refaults", "faults", METRIC_EVENT, BETTER_LOWER,
	  "stage-2 faults that mapped a page again" },
	{ "kvm_refaults_same_pfn", "faults", METRIC_EVENT, BETTER_LOWER,
	  "stage-2 faults that mapped the same frame again",
	  0, "same-frame refault" },
	{ "kvm_refaults_same_pfn.*", "faults", METRIC_EVENT, BETTER_LOWER,
	  "stage-2 faults that mapped the same frame again, by the event that made KVM zap" },
	{ "kvm_unnecessary", "faults", METRIC_EVENT, BETTER_LOWER,
	  "stage-2 faults that mapped the same frame again though no permission was removed",
	  0, "unnecessary zap" },
	{ "kvm_unnecessary.*", "faults", METRIC_EVENT, BETTER_LOWER,
	  "kvm_unnecessary, by the event that made KVM zap" },
	{ "kvm_exits", "exits", METRIC_EVENT, BETTER_LOWER,
	  "exits of the vCPU, including interrupts and the exit that ends a pass (KVM's statistics)" },
	{ "kvm_stage2_faults", "faults", METRIC_EVENT, BETTER_LOWER,
	  "faults of the guest for which KVM mapped something (pf_fixed, x86)" },
	{ "kvm_stage2_gone.*", "leaves", METRIC_EVENT, BETTER_LOWER,
	  "leaf entries by which KVM's own count fell, by size (x86)" },
	{ "s2_maps.*", "pages", METRIC_EVENT, BETTER_NONE,
	  "stage-2 mappings created, by memory type",
	  0, "stage-2 * page" },
	{ "in_force.*", "pages", METRIC_EVENT, BETTER_NONE,
	  "pages of a guest, by the combined memory type of both stages",
	  0, "effective * page" },
	{ "loads", "instructions", METRIC_INSTRUCTIONS, BETTER_LOWER,
	  "instructions that read memory" },
	{ "stores", "instructions", METRIC_INSTRUCTIONS, BETTER_LOWER,
	  "instructions that write memory" },
	{ "atomics", "instructions", METRIC_INSTRUCTIONS, BETTER_LOWER,
	  "LSE atomics; also counted as loads and stores" },
	{ "exclusives", "instructions", METRIC_INSTRUCTIONS, BETTER_LOWER,
	  "load- and store-exclusives; also counted as loads or stores" },
	{ "dsb", "instructions", METRIC_INSTRUCTIONS, BETTER_LOWER,
	  "data synchronization barriers" },
	{ "dmb", "instructions", METRIC_INSTRUCTIONS, BETTER_LOWER,
	  "data memory barriers" },
	{ "isb", "instructions", METRIC_INSTRUCTIONS, BETTER_LOWER,
	  "instruction synchronization barriers" },
	{ "sysreg_writes", "instructions", METRIC_INSTRUCTIONS, BETTER_LOWER,
	  "MSR" },
	{ "sysreg_reads", "instructions", METRIC_INSTRUCTIONS, BETTER_LOWER,
	  "MRS" },
	{ "cache_ops", "instructions", METRIC_INSTRUCTIONS, BETTER_LOWER,
	  "DC and IC, including DC ZVA" },
	{ "tlbi", "instructions", METRIC_INSTRUCTIONS, BETTER_LOWER,
	  "TLB maintenance instructions, broadcast or local",
	  0, "TLBI" },
	{ "tlbi.*", "instructions", METRIC_INSTRUCTIONS, BETTER_LOWER,
	  "TLB maintenance instructions, by reach (broadcast, local) and scope (page, range, asid, all)" },
	{ "exceptions.*", "exceptions", METRIC_INSTRUCTIONS, BETTER_LOWER,
	  "exceptions taken, by origin and cause" },
	{ "lines_touched", "lines", METRIC_INSTRUCTIONS, BETTER_LOWER,
	  "distinct 64-byte lines loaded or stored, from one entry into the kernel to the next" },
	{ "bt.*", "counts", METRIC_EVENT, BETTER_NONE,
	  "what the maps of the bpftrace script counted (ptelab run --bt)" },
	{ "perf.*", "counts", METRIC_TOOL, BETTER_NONE,
	  "what perf stat counted around the timed batches (ptelab run --perf)" },
	{ "shadow_stale", "entries", METRIC_EVENT, BETTER_LOWER,
	  "shadow secondary-TLB entries that no longer match the page table",
	  0, "stale shadow mapping" },
};
#pragma GCC diagnostic pop

const size_t metrics_nr = ARRAY_SIZE(metrics);

const struct metric *metric_find(const char *name)
{
	size_t i;

	for (i = 0; i < metrics_nr; i++) {
		size_t n = strlen(metrics[i].name);

		if (!strcmp(metrics[i].name, name))
			return &metrics[i];
		if (metrics[i].name[n - 1] == '*' &&
		    !strncmp(metrics[i].name, name, n - 1) && name[n - 1])
			return &metrics[i];
	}
	return NULL;
}

const char *metric_cost(unsigned int rank)
{
	size_t i;

	for (i = 0; i < metrics_nr; i++)
		if (rank && metrics[i].cost_rank == rank)
			return metrics[i].name;
	return NULL;
}

void metric_name_add(char *name, size_t size, const char *key)
{
	size_t n = strlen(name);

	for (; *key && n + 1 < size; key++)
		name[n++] = *key == ',' ? '.' :
			isalnum((unsigned char)*key) || strchr("_-.", *key) ?
			*key : '_';
	name[n] = 0;
}

const char *metric_kind_name(enum metric_kind kind)
{
	static const char *const names[] = { "time", "instructions", "event",
					     "tool" };

	return names[kind];
}

const char *metric_better_name(enum metric_better better)
{
	static const char *const names[] = { "none", "lower", "higher" };

	return names[better];
}

json_t *metric_to_json(const struct metric *m)
{
	return json_pack("{s:s, s:s, s:s}", "unit", m->unit, "kind",
			 metric_kind_name(m->kind), "better",
			 metric_better_name(m->better));
}

enum events metric_events(const char *metric)
{
	if (!strncmp(metric, "bt.", 3))
		return EVENTS_ALL;
	return strncmp(metric, "kvm_", 4) && strncmp(metric, "s2_maps.", 8) ?
		EVENTS_MM : EVENTS_KVM;
}
