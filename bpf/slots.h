/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The slots in which BPF programs count. The programs and the code that loads them
 * include this file, so it has only plain definitions.
 */
#ifndef PTELAB_BPF_SLOTS_H
#define PTELAB_BPF_SLOTS_H

enum slot {
	SLOT_GUP_FAST_CALLS,
	SLOT_GUP_FAST_PAGES,
	SLOT_GUP_SLOW_PAGES,
	SLOT_GUP_CALLER_HIDDEN,	/* slow paths whose caller is unknown */
	SLOT_GATHERS,
	SLOT_RETRIES,
	SLOT_FOLDS,
	SLOT_UNFOLDS,
	SLOT_NOTIFIER_SECONDARY,
	SLOT_KVM_UNMAP_HVA,
	SLOT_KVM_ZAPPED_LEAVES,
	SLOT_KVM_ZAPPED_BLOCKS,
	SLOT_KVM_GUEST_FAULTS,
	SLOT_KVM_REFAULTS,
	SLOT_KVM_REFAULTS_SAME_PFN,
	SLOT_KVM_FORGOTTEN,	/* zapped leaves for which the map had no room */
	SLOT_KVM_UNCHECKED,	/* mapped again unchanged, but what the host did is unknown */
	SLOT_S2_NORMAL,
	SLOT_S2_NC,
	SLOT_S2_DEVICE,
#define CALL(prog, name, whose, function)	SLOT_CALL_##prog,
#include "bpf/counters.def"
#undef CALL
	SLOT_SINGLE_END,

	/* One for each value of enum mmu_notifier_event, as the kernel numbers
	 * them; then the same for what KVM did about it, by cause. */
	SLOT_NOTIFIER_START = 32,
	SLOT_ZAPPED_BY = 64,
	SLOT_SAME_PFN_BY = 80,
	SLOT_UNNECESSARY_BY = 96,

	SLOT_NR = 112,
};

#define NOTIFIER_EVENTS	(SLOT_ZAPPED_BY - SLOT_NOTIFIER_START)

/*
 * The cause of a zap by KVM: a notifier event by its number, any event beyond the
 * last, or KVM itself, as when a memslot is removed.
 */
enum cause {
	CAUSE_BEYOND = 14,
	CAUSE_KVM = 15,
	CAUSES = 16,
};

/*
 * A row of slots for each CPU. It has 1024 bytes, so that CPUs do not share cache
 * lines, and the row is found with a shift, one instruction less than multiplying.
 * CPUs beyond the last row share rows; adding is atomic, so no count is lost.
 */
#define ROWS		1024
#define ROW_SLOTS	128

struct slot_row {
	unsigned long long slot[ROW_SLOTS];
};

_Static_assert(SLOT_SINGLE_END <= SLOT_NOTIFIER_START, "move the ranges up");
_Static_assert(SLOT_NR <= ROW_SLOTS, "double ROW_SLOTS");

/* Selects the events that count: const volatile filter, set before loading. */
enum filter {
	FILTER_NONE,	/* all processes */
	FILTER_ONE,	/* the address space one_mm */
	FILTER_SET,	/* the processes in tracked, and their children */
};

/* What whoami reports of the task that runs it. */
struct whoami {
	unsigned long long mm;
	unsigned int tgid;	/* in the first pid namespace */
	unsigned int pid_level;	/* of the task's own pid namespace */
};

#endif
