// SPDX-License-Identifier: GPL-2.0
/* The table of counters; see counters.h. */
#include "bpf/counters.h"

#include <linux/perf_event.h>
#include <string.h>

#include "lib/util.h"

/* Names of the same function, newest first. */
#define GUP_FAST	"gup_fast_fallback|internal_get_user_pages_fast"
#define GUP_SLOW	"__gup_longterm_locked"
#define GUP_SLOW_OLD	"__gup_longterm_unlocked"	/* to 6.2 */
#define GUP_UNLOCKED	"get_user_pages_unlocked"
#define RANGE_END	"__mmu_notifier_invalidate_range_end"
#define SECONDARY	"__mmu_notifier_arch_invalidate_secondary_tlbs"
#define SECONDARY_OLD	"__mmu_notifier_invalidate_range"	/* to 6.5 */

/* Functions in the same file, so the compiler may inline one into the other. */
#define GUP_FAST_CALLERS \
	"get_user_pages_fast|pin_user_pages_fast|get_user_pages_fast_only"
#define CONVERT_CALLERS	"__contpte_try_fold|__contpte_try_unfold"

#define FENTRY(p, f)	{ .kind = POINT_FENTRY, .prog = p, .where = f }
#define FEXIT(p, f)	{ .kind = POINT_FEXIT, .prog = p, .where = f }
#define KPROBE(p, f)	{ .kind = POINT_KPROBE, .prog = p, .where = f }
#define KRETPROBE(p, f)	{ .kind = POINT_KRETPROBE, .prog = p, .where = f }
#define RAW_TP(p, f)	{ .kind = POINT_TRACEPOINT, .prog = p, .where = f }

#define GUP_FAST_AT(k, p)						\
	{ .kind = k, .prog = p, .where = GUP_FAST, .nargs = 4,		\
	  .callers = GUP_FAST_CALLERS }
#define GUP_SLOW_LOCKED(p)						\
	{ .kind = POINT_KPROBE, .prog = p, .where = GUP_SLOW,		\
	  .arg = "locked", .callers = GUP_FAST }
#define GUP_SLOW_AT(p, f)						\
	{ .kind = POINT_KPROBE, .prog = p, .where = f, .callers = GUP_FAST }
#define CONVERT(k, p)							\
	{ .kind = k, .prog = p, .where = "contpte_convert",		\
	  .callers = CONVERT_CALLERS }

/* Calls of a function: with fentry if available, else with a kprobe. */
#define CALLS(p, f)	{ { { FENTRY(p, f) } }, { { KPROBE(p "_k", f) } } }

#define NOTIFIER_START(name, ENUMERATOR)				\
	{								\
		.metric = "notifier_start." name,			\
		.slot = SLOT_NOTIFIER_START,				\
		.enumerator = ENUMERATOR,				\
		.way = CALLS("notifier_start",				\
			     "__mmu_notifier_invalidate_range_start"),	\
	}
#define EVENT(E)	"mmu_notifier_event:MMU_NOTIFY_" E

#define S2_MAP(name, s, e)						\
	{								\
		.metric = "s2_maps." name, .slot = s, .arch = "arm64",	\
		.enumerator = e,					\
		.way = {						\
			{ { FEXIT("s2_map", "kvm_pgtable_stage2_map") } }, \
			{ { KPROBE("s2_map_k", "kvm_pgtable_stage2_map") } }, \
		},							\
	}

/* In 6.3 the walker's six arguments became one context argument. */
#define S2_UNMAP(name, s)						\
	{								\
		.metric = name, .slot = s, .arch = "arm64",		\
		.way = {						\
			{ { { .kind = POINT_FENTRY, .prog = "s2_unmap",	\
			      .where = "stage2_unmap_walker", .nargs = 2 } } }, \
			{ { { .kind = POINT_KPROBE, .prog = "s2_unmap_k", \
			      .where = "stage2_unmap_walker", .nargs = 2 } } }, \
			{ { { .kind = POINT_KPROBE, .prog = "s2_unmap_old_k", \
			      .where = "stage2_unmap_walker", .nargs = 6 } } }, \
		},							\
	}

#define S2_REFAULT(name, s)						\
	{								\
		.metric = name, .slot = s, .arch = "arm64",		\
		.way = { { {						\
			{ .kind = POINT_FENTRY, .prog = "s2_unmap_note", \
			  .where = "stage2_unmap_walker", .nargs = 2 },	\
			FENTRY("s2_freed", "kvm_free_stage2_pgd"),	\
			FEXIT("s2_refault", "kvm_pgtable_stage2_map"),	\
		} } },							\
	}

/* The same by cause, with what the host did meanwhile. */
#define KVM_START	"kvm_mmu_notifier_invalidate_range_start"
#define KVM_END		"kvm_mmu_notifier_invalidate_range_end"
#define S2_BY(name, s, e, ...)						\
	{								\
		.metric = name, .slot = s, .arch = "arm64",		\
		.enumerator = e,					\
		.way = { { {						\
			{ .kind = POINT_FENTRY, .prog = "s2_unmap_note", \
			  .where = "stage2_unmap_walker", .nargs = 2 },	\
			FENTRY("s2_freed", "kvm_free_stage2_pgd"),	\
			FEXIT("s2_refault", "kvm_pgtable_stage2_map"),	\
			FENTRY("kvm_start", KVM_START),			\
			FEXIT("kvm_start_done", KVM_START),		\
			__VA_ARGS__					\
		} } },							\
	}
#define S2_UNNECESSARY(name, e)						\
	S2_BY(name, SLOT_UNNECESSARY_BY, e,				\
	      FENTRY("kvm_part", "kvm_unmap_gfn_range"),		\
	      FENTRY("kvm_end", KVM_END))
#define S2_CAUSE(name, event)						\
	S2_BY("kvm_zapped." name, SLOT_ZAPPED_BY, event),		\
	S2_BY("kvm_refaults_same_pfn." name, SLOT_SAME_PFN_BY, event),	\
	S2_UNNECESSARY("kvm_unnecessary." name, event)

#define FAULTS(name, c)							\
	{								\
		.metric = name, .slot = SLOT_NR, .plain = true,		\
		.way = { { { { .kind = POINT_SOFTWARE, .where = name,	\
			       .config = c } } } },			\
	}

const struct bpf_counter bpf_counters[] = {
	{ .metric = "gup_fast_calls", .slot = SLOT_GUP_FAST_CALLS, .plain = true,
	  .way = {
		{ { GUP_FAST_AT(POINT_FENTRY, "gup_fast") } },
		{ { GUP_FAST_AT(POINT_KPROBE, "gup_fast_k") } },
	  } },
	/*
	 * The slow path is one function that GUP-fast calls. Since 6.3 it is
	 * __gup_longterm_locked, recognized by its argument "locked". Before,
	 * it is __gup_longterm_unlocked or, if that was inlined, the function
	 * that it calls. A kretprobe changes the return address that the kprobe
	 * looks at. Of two probes on the same function the later one runs
	 * first.
	 */
	{ .metric = "gup_fast_pages", .slot = SLOT_GUP_FAST_PAGES,
	  .way = {
		{ { GUP_FAST_AT(POINT_FEXIT, "gup_fast_ret"), GUP_SLOW_LOCKED("gup_slow_mark_k"),
		    FEXIT("gup_slow_ret", GUP_SLOW) } },
		{ { GUP_FAST_AT(POINT_KRETPROBE, "gup_fast_ret_k"),
		    KRETPROBE("gup_slow_ret_k", GUP_SLOW),
		    GUP_SLOW_LOCKED("gup_slow_mark_k") } },
		{ { GUP_FAST_AT(POINT_FEXIT, "gup_fast_ret"),
		    KRETPROBE("gup_slow_unlocked_ret_k", GUP_SLOW_OLD) } },
		{ { GUP_FAST_AT(POINT_KRETPROBE, "gup_fast_ret_k"),
		    KRETPROBE("gup_slow_unlocked_ret_k", GUP_SLOW_OLD) } },
		{ { GUP_FAST_AT(POINT_KRETPROBE, "gup_fast_ret_k"),
		    KRETPROBE("gup_slow_ret_k", GUP_SLOW),
		    GUP_SLOW_AT("gup_slow_mark_k", GUP_SLOW),
		    KRETPROBE("gup_slow_ret_k", GUP_UNLOCKED),
		    GUP_SLOW_AT("gup_slow_mark_k", GUP_UNLOCKED) } },
	  } },
	{ .metric = "gup_slow_pages", .slot = SLOT_GUP_SLOW_PAGES,
	  .way = {
		{ { GUP_SLOW_LOCKED("gup_slow_k") } },
		{ { KPROBE("gup_slow_unlocked_k", GUP_SLOW_OLD) } },
		{ { GUP_SLOW_AT("gup_slow_k", GUP_SLOW),
		    GUP_SLOW_AT("gup_slow_gup_k", GUP_UNLOCKED) } },
	  } },

	{ .metric = "lockless_gathers", .slot = SLOT_GATHERS, .arch = "arm64",
	  .plain = true,
	  /* It returns a struct, so fentry can't be attached. */
	  .way = { { { KPROBE("gather_k", "contpte_ptep_get_lockless") } } } },
	{ .metric = "lockless_retries", .slot = SLOT_RETRIES, .arch = "arm64",
	  .way = { { { { .kind = POINT_RETRY_SITES, .prog = "retry_k",
			 .where = "contpte_ptep_get_lockless" } } } } },
	{ .metric = "contpte_folds", .slot = SLOT_FOLDS, .arch = "arm64",
	  .way = {
		{ { CONVERT(POINT_FENTRY, "contpte_convert") } },
		{ { CONVERT(POINT_KPROBE, "contpte_convert_k") } },
	  } },
	{ .metric = "contpte_unfolds", .slot = SLOT_UNFOLDS, .arch = "arm64",
	  .way = {
		{ { CONVERT(POINT_FENTRY, "contpte_convert") } },
		{ { CONVERT(POINT_KPROBE, "contpte_convert_k") } },
		{ { FENTRY("unfold", "__contpte_try_unfold") } },
		{ { KPROBE("unfold_k", "__contpte_try_unfold") } },
	  } },

	{ .metric = "notifier_start", .slot = SLOT_NOTIFIER_START, .plain = true,
	  .enumerator = EVERY_CAUSE,
	  .way = CALLS("notifier_start",
		       "__mmu_notifier_invalidate_range_start") },
	NOTIFIER_START("unmap", EVENT("UNMAP")),
	NOTIFIER_START("clear", EVENT("CLEAR")),
	NOTIFIER_START("protection_vma", EVENT("PROTECTION_VMA")),
	NOTIFIER_START("protection_page", EVENT("PROTECTION_PAGE")),
	NOTIFIER_START("soft_dirty", EVENT("SOFT_DIRTY")),
	NOTIFIER_START("release", EVENT("RELEASE")),
	NOTIFIER_START("migrate", EVENT("MIGRATE")),
	NOTIFIER_START("exclusive", EVENT("EXCLUSIVE")),
	/* Any event of the kernel that is not named above. */
	NOTIFIER_START("other", NULL),
#define CALL(prog, name, whose, function)				\
	{ .metric = name, .slot = SLOT_CALL_##prog, .plain = true,	\
	  .way = CALLS(#prog, function) },
#include "bpf/counters.def"
#undef CALL
	{ .metric = "notifier_secondary", .slot = SLOT_NOTIFIER_SECONDARY,
	  /* Up to 6.5 the end of a range also calls it, if not only_end. */
	  .way = {
		{ { FENTRY("notifier_secondary", SECONDARY) } },
		{ { KPROBE("notifier_secondary_k", SECONDARY) } },
		{ { FENTRY("notifier_secondary", SECONDARY_OLD),
		    FENTRY("notifier_end_secondary", RANGE_END) } },
		{ { KPROBE("notifier_secondary_k", SECONDARY_OLD),
		    KPROBE("notifier_end_secondary_k", RANGE_END) } },
	  } },

	{ .metric = "kvm_unmap_hva", .slot = SLOT_KVM_UNMAP_HVA, .plain = true,
	  .way = { { { RAW_TP("kvm_unmap_hva", "kvm_unmap_hva_range") } } } },
	S2_UNMAP("kvm_zapped_leaves", SLOT_KVM_ZAPPED_LEAVES),
	S2_UNMAP("kvm_zapped_blocks", SLOT_KVM_ZAPPED_BLOCKS),
	{ .metric = "kvm_guest_faults", .slot = SLOT_KVM_GUEST_FAULTS, .plain = true,
	  .way = { { { RAW_TP("kvm_guest_fault",
			      "kvm_guest_fault|kvm_page_fault") } } } },
	S2_REFAULT("kvm_refaults", SLOT_KVM_REFAULTS),
	S2_REFAULT("kvm_refaults_same_pfn", SLOT_KVM_REFAULTS_SAME_PFN),
	S2_UNNECESSARY("kvm_unnecessary", EVERY_CAUSE),
	S2_CAUSE("unmap", EVENT("UNMAP")),
	S2_CAUSE("clear", EVENT("CLEAR")),
	S2_CAUSE("protection_vma", EVENT("PROTECTION_VMA")),
	S2_CAUSE("protection_page", EVENT("PROTECTION_PAGE")),
	S2_CAUSE("soft_dirty", EVENT("SOFT_DIRTY")),
	S2_CAUSE("release", EVENT("RELEASE")),
	S2_CAUSE("migrate", EVENT("MIGRATE")),
	S2_CAUSE("exclusive", EVENT("EXCLUSIVE")),
	S2_CAUSE("other", NULL),
	S2_CAUSE("kvm", CAUSE_IS_KVM),
	S2_MAP("normal", SLOT_S2_NORMAL, NULL),
	S2_MAP("nc", SLOT_S2_NC, "kvm_pgtable_prot:KVM_PGTABLE_PROT_NORMAL_NC"),
	S2_MAP("device", SLOT_S2_DEVICE, NULL),

	FAULTS("faults.minor", PERF_COUNT_SW_PAGE_FAULTS_MIN),
	FAULTS("faults.major", PERF_COUNT_SW_PAGE_FAULTS_MAJ),
};

const unsigned int bpf_counters_nr = ARRAY_SIZE(bpf_counters);

_Static_assert(ARRAY_SIZE(bpf_counters) <= MAX_COUNTERS, "raise MAX_COUNTERS");

const struct bpf_counter *bpf_counter_find(const char *metric)
{
	unsigned int i;

	for (i = 0; i < bpf_counters_nr; i++)
		if (!strcmp(bpf_counters[i].metric, metric))
			return &bpf_counters[i];
	return NULL;
}

const char *point_kind_name(enum point_kind kind)
{
	static const char *const names[] = {
		"", "fentry", "fexit", "kprobe", "kretprobe", "kprobe",
		"tracepoint", "software event",
	};

	return names[kind];
}
