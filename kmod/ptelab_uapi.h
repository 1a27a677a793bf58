/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The whole interface of ptelab.ko: one device, /dev/ptelab, and ioctls.
 *
 * The device belongs to root, and opening it takes CAP_SYS_ADMIN: it tells
 * physical and kernel addresses. Whatever an open file has set up (notifiers,
 * a shadow TLB) concerns the address space that set it up, and ends with the
 * file, or with the address space if that goes first.
 *
 * Every argument starts with its own size, which must be exact, and flags.
 * Unknown flags and reserved fields that are not 0 are refused (EINVAL), so
 * that both can get a meaning later. Fields marked "out" are overwritten and
 * may hold anything on entry. PTELAB_IOC_ABI never changes; a change to
 * anything else raises PTELAB_ABI_VERSION.
 *
 * Errors that mean the same everywhere: EINVAL a bad argument, E2BIG more than
 * a limit allows, EFAULT a bad pointer or a range beyond user space, EBUSY
 * already started, ENODATA not started, ESRCH started by another address
 * space, EOPNOTSUPP this kernel has no such thing, EINTR a signal came while
 * another thread had the file, or killed half way.
 *
 * One file though it is long: who talks to the module reads one header.
 */
#ifndef PTELAB_UAPI_H
#define PTELAB_UAPI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define PTELAB_DEVICE		"/dev/ptelab"
#define PTELAB_ABI_VERSION	6

/* --- what this module and kernel can do --- */

#define PTELAB_FEAT_SECONDARY	(1U << 0) /* arch_invalidate_secondary_tlbs */
/* Its forerunner, invalidate_range, which invalidate_range_end calls too. */
#define PTELAB_FEAT_INV_RANGE	(1U << 1)
#define PTELAB_FEAT_CHANGE_PTE	(1U << 2)
#define PTELAB_FEAT_CONTPTE	(1U << 3) /* PTELAB_IOC_RETRY works */
#define PTELAB_FEAT_MEMTYPE	(1U << 4) /* ptelab_pte.memtype is filled in */
#define PTELAB_FEAT_MMIO	(1U << 5) /* PTELAB_IOC_MMIO works */
#define PTELAB_FEAT_STAGE2	(1U << 6) /* PTELAB_IOC_STAGE2 works */

struct ptelab_abi {
	__u32 size;
	__u32 flags;		/* none yet */
	__u32 version;		/* out: PTELAB_ABI_VERSION of the module */
	__u32 features;		/* out: PTELAB_FEAT_* */
	__u32 page_size;	/* out */
	__u32 cont_ptes;	/* out: entries of a contpte block; 1: none */
	__u64 reserved[4];
};

/* --- (a) mmu notifier callbacks, counted --- */

#define PTELAB_EVENTS		16	/* the last takes all that lie beyond */

/* Which callbacks; one at least. */
#define PTELAB_NOTIFY_RANGE	(1U << 0) /* start, end, *_young, change_pte */
#define PTELAB_NOTIFY_SECONDARY	(1U << 1)

/* Starts counting on the caller's address space, from 0. */
struct ptelab_notify_start {
	__u32 size;
	__u32 flags;		/* PTELAB_NOTIFY_* */
	/* Count only what overlaps this range; both 0: everything. */
	__u64 addr;
	__u64 len;
	__u64 reserved[4];
};

struct ptelab_notify_count {
	__u64 calls;		/* that overlap the range asked for */
	__u64 bytes;		/* of the overlap; not those of whole */
	__u64 whole;		/* calls that were for the whole address space */
};

struct ptelab_notify_counts {
	__u32 size;
	__u32 flags;		/* none yet */
	/* out, all of them; start and end by enum mmu_notifier_event */
	struct ptelab_notify_count start[PTELAB_EVENTS];
	struct ptelab_notify_count end[PTELAB_EVENTS];
	struct ptelab_notify_count secondary;
	struct ptelab_notify_count clear_flush_young;
	struct ptelab_notify_count clear_young;
	struct ptelab_notify_count test_young;
	struct ptelab_notify_count change_pte;
	__u64 start_atomic;	/* of the start calls, those not to sleep */
	__u64 elsewhere;	/* calls outside the range asked for */
	__u64 released;		/* 1: the address space is gone */
	__u64 reserved[5];
};

/* An argument without any: NOTIFY_STOP, NOTIFY_RESET, SHADOW_STOP */
struct ptelab_none {
	__u32 size;
	__u32 flags;
};

/* --- (c) the page-table entries of a range --- */

#define PTELAB_PTES_MAX_PAGES	(1U << 18)

/*
 * Also read each entry with ptep_get() and ptep_get_lockless(), under the
 * page-table lock, and compare the two.
 */
#define PTELAB_PTES_COMPARE	(1U << 0)

enum ptelab_level {
	PTELAB_LEVEL_NONE,	/* no entry at any level, or no mapping */
	PTELAB_LEVEL_PTE,
	PTELAB_LEVEL_PMD,	/* a leaf: its entry stands for many pages */
	PTELAB_LEVEL_PUD,
};

enum ptelab_memtype {
	PTELAB_MEM_UNKNOWN,
	PTELAB_MEM_NORMAL,	/* write-back */
	PTELAB_MEM_TAGGED,	/* write-back, with allocation tags */
	PTELAB_MEM_NC,		/* Normal non-cacheable */
	PTELAB_MEM_NGNRNE,	/* Device */
	PTELAB_MEM_NGNRE,
	PTELAB_MEM_GRE,
	PTELAB_MEM_NR,
};

#define PTELAB_PTE_PRESENT	(1U << 0) /* as pte_present(), PROT_NONE too */
#define PTELAB_PTE_VALID	(1U << 1) /* the CPU's table walker takes it */
#define PTELAB_PTE_WRITE	(1U << 2) /* as pte_write() */
/* A store needs neither a fault nor hardware dirty-bit management. */
#define PTELAB_PTE_HW_WRITE	(1U << 3)
#define PTELAB_PTE_EXEC		(1U << 4) /* by user space */
#define PTELAB_PTE_YOUNG	(1U << 5)
#define PTELAB_PTE_DIRTY	(1U << 6)
#define PTELAB_PTE_CONT		(1U << 7)
#define PTELAB_PTE_SPECIAL	(1U << 8)
#define PTELAB_PTE_HUGETLB	(1U << 9) /* read without a lock */
#define PTELAB_PTE_SWAP		(1U << 10) /* not present, not empty */

/* One page. The entry itself, never gathered from a contpte block. */
struct ptelab_pte {
	__u64 raw;
	__u64 pfn;		/* of this page, also inside a larger leaf */
	__u32 flags;		/* PTELAB_PTE_* */
	__u8 level;		/* enum ptelab_level */
	__u8 memtype;		/* enum ptelab_memtype */
	__u8 attr;		/* AttrIndx; x86: PAT, PCD, PWT */
	__u8 mair;		/* MAIR byte of that index; x86: 0 */
};

/*
 * 512 pages at a time are read under one lock (all entries of one table
 * page on 4K pages); whole contpte blocks if the range has whole ones.
 */
struct ptelab_ptes {
	__u32 size;
	__u32 flags;		/* PTELAB_PTES_* */
	__u64 addr;		/* page aligned */
	__u64 len;
	__u64 buf;		/* struct ptelab_pte[len / page]; 0: no */
	/* out: how many pages ... */
	__u64 none;
	__u64 swap;
	__u64 present;
	__u64 write;
	__u64 young;
	__u64 dirty;
	__u64 cont;
	__u64 special;
	__u64 pmd;		/* are in a PMD leaf */
	__u64 hugetlb;
	__u64 memtype[8];	/* by enum ptelab_memtype, of the present */
	/* out: aligned blocks that are whole: all valid, CONT, in line */
	__u64 cont_blocks;
	/* out: of PTELAB_PTES_COMPARE */
	__u64 compared;
	__u64 different;
	__u64 reserved[4];
};

/*
 * --- (e) a secondary TLB in software ---
 *
 * An entry is one leaf of the page table: a page, also where it is part of a
 * contpte block, or all that a PMD or PUD leaf maps (hugetlb as well). Who is
 * told of one page of a leaf drops the leaf.
 */

#define PTELAB_SHADOW_MAX_PAGES	(1U << 16)

/* What it listens to; none: it never drops anything. */
#define PTELAB_SHADOW_RANGE	(1U << 0) /* invalidate_range_start/end */
#define PTELAB_SHADOW_SECONDARY	(1U << 1) /* arch_invalidate_secondary_tlbs */
/* Permission is what hardware without dirty-bit management sees. */
#define PTELAB_SHADOW_AP	(1U << 2)

/* An empty shadow for a range of the caller's address space. */
struct ptelab_shadow_start {
	__u32 size;
	__u32 flags;		/* PTELAB_SHADOW_* */
	__u64 addr;
	__u64 len;
	__u64 reserved[4];
};

/*
 * Caches the translations of a part of the range, as a device that touches
 * every page would: also of the rest of a leaf that reaches beyond the part.
 */
struct ptelab_shadow_fill {
	__u32 size;
	__u32 flags;		/* none yet */
	__u64 addr;
	__u64 len;
	__u64 filled;		/* out: entries cached now */
	__u64 absent;		/* out: pages with nothing to cache */
	__u64 blocked;		/* out: pages, an invalidation was under way */
	__u64 reserved[4];
};

/* Why a cached entry is stale. An entry counts once, the first that fits. */
enum ptelab_stale_kind {
	PTELAB_STALE_UNMAPPED,	/* nothing, or nothing accessible, is there */
	PTELAB_STALE_PFN,	/* another page is there */
	PTELAB_STALE_DOWNGRADED, /* cached: more than the page table allows */
	PTELAB_STALE_UPGRADED,	/* cached: less than the page table allows */
	PTELAB_STALE_NR,
};

#define PTELAB_CACHED_VALID	(1U << 0)
#define PTELAB_CACHED_WRITE	(1U << 1)
#define PTELAB_CACHED_EXEC	(1U << 2)

struct ptelab_stale {
	__u64 addr;		/* the first page of the entry that is not true */
	__u64 cached_pfn;	/* of that page */
	__u64 raw;		/* what the page table says */
	__u32 cached;		/* PTELAB_CACHED_* */
	__u32 kind;		/* enum ptelab_stale_kind */
};

/* Compares the shadow of a part of the range with the page table. */
struct ptelab_shadow_check {
	__u32 size;
	__u32 flags;		/* none yet */
	__u64 addr;
	__u64 len;
	__u64 buf;		/* struct ptelab_stale[buf_entries]; 0: no */
	__u64 buf_entries;
	__u64 cached;		/* out: entries */
	__u64 stale[PTELAB_STALE_NR]; /* out: of these, by kind */
	/* out: since SHADOW_START, entries dropped by ... */
	__u64 dropped_range;
	__u64 dropped_secondary;
	/* out: since SHADOW_START, calls that overlapped the range */
	__u64 calls_range;
	__u64 calls_secondary;
	__u64 released;		/* out: 1: the address space is gone */
	__u64 reserved[4];
};

#define PTELAB_TOUCH_WRITE	(1U << 0)

/* One access to every page of a part of the range, as a device does it. */
struct ptelab_shadow_touch {
	__u32 size;
	__u32 flags;		/* PTELAB_TOUCH_* */
	__u64 addr;
	__u64 len;
	/* out: served from the shadow, rightly */
	__u64 hit;
	/* out: not in the shadow; now it is */
	__u64 miss;
	/* out: refused, and the page table agrees */
	__u64 fault;
	/* out: served from the shadow though the page table says otherwise */
	__u64 stale_hit;
	/*
	 * out: refused by the shadow though the page table would allow it: a
	 * device would fault on this for ever
	 */
	__u64 stale_fault;
	/* out: not in the shadow, and an invalidation was under way */
	__u64 blocked;
	__u64 reserved[4];
};

/* --- (b) GUP-fast in a loop --- */

#define PTELAB_GUP_MAX_PAGES	(1U << 14)	/* a call */
#define PTELAB_GUP_MAX_CALLS	(1ULL << 32)

#define PTELAB_GUP_PIN		(1U << 0) /* pin_, else get_user_pages_fast */
#define PTELAB_GUP_WRITE	(1U << 1) /* FOLL_WRITE */
#define PTELAB_GUP_LONGTERM	(1U << 2) /* FOLL_LONGTERM; needs PIN */
#define PTELAB_GUP_TICKS	(1U << 3) /* time each call for itself */
/* The loop without get and put: what it costs itself. */
#define PTELAB_GUP_EMPTY	(1U << 4)

/*
 * Gets pages, puts them, goes on behind them, from the start again where the
 * next call would reach beyond the range.
 */
struct ptelab_gup {
	__u32 size;
	__u32 flags;		/* PTELAB_GUP_* */
	__u64 addr;
	__u64 len;		/* a call's pages at least */
	__u64 calls;		/* how many */
	__u32 pages;		/* a call */
	__u32 reserved32;
	__u64 pages_got;	/* out */
	__u64 short_calls;	/* out: got some, but not all */
	__u64 failed_calls;	/* out: got none */
	__s64 error;		/* out: of the first failed call, -errno */
	__u64 ns;		/* out: the whole loop, puts included */
	__u64 ticks_get;	/* out: of PTELAB_GUP_TICKS */
	__u64 ticks_put;
	__u64 ticks_hz;		/* out: 0: not known */
	__u64 reserved[4];
};

/* --- (d) the lockless contpte reader against a known writer --- */

#define PTELAB_RETRY_MAX_READS	(1ULL << 32)
#define PTELAB_RETRY_MAX_HOLD	100000U		/* ns */
#define PTELAB_RETRY_MAX_TRIES	256U		/* a read */

/*
 * Gives the open file a block of its own, which is no page table, and tells
 * its kernel address. PTELAB_IOC_RETRY makes one if there is none.
 */
struct ptelab_retry_block {
	__u32 size;
	__u32 flags;		/* none yet */
	__u64 kaddr;		/* out: of entry 0 */
	__u32 entries;		/* out */
	__u32 entry_size;	/* out */
	__u64 reserved[4];
};

enum ptelab_reader {
	PTELAB_READER_KERNEL,	/* contpte_ptep_get_lockless() */
	PTELAB_READER_SINGLE,	/* the target entry alone */
};

enum ptelab_script {
	/*
	 * A writer on another CPU does the steps asked for, in an order that
	 * the seed gives, as fast as it can.
	 */
	PTELAB_SCRIPT_RACE,
	/*
	 * Before each read break_index is made invalid, and mended at the
	 * moment the reader comes to it for the tries-th time: so each read
	 * retries exactly tries - 1 times, whatever the machine. Implies
	 * RETRY_WATCH.
	 */
	PTELAB_SCRIPT_TRIES,
	/* Nobody writes. */
	PTELAB_SCRIPT_QUIET,
	PTELAB_SCRIPT_NR,
};

/* Steps of PTELAB_SCRIPT_RACE. Fold and unfold, in turn, are always in. */
#define PTELAB_STEP_AGE		(1U << 0) /* young off, entry by entry */
/* One entry young and dirty, as hardware does it. */
#define PTELAB_STEP_HW		(1U << 1)
#define PTELAB_STEP_CLEAN	(1U << 2) /* dirty off, entry by entry */
#define PTELAB_STEP_WRPROTECT	(1U << 3) /* write off, entry by entry */
#define PTELAB_STEP_ZAP		(1U << 4) /* cleared, then another folio */
/*
 * Alone: break_index is made invalid, and mended hold_ns later. The block stays
 * folded, old and clean; so the reader reads break_index exactly once a try.
 */
#define PTELAB_STEP_BREAK	(1U << 5)

/*
 * With SCRIPT_TRIES and STEP_BREAK: entry 0 is young, dirty. A reader that stops
 * looking once it has found both never comes to break_index with both.
 */
#define PTELAB_RETRY_YOUNG	(1U << 0)
#define PTELAB_RETRY_DIRTY	(1U << 1)
/*
 * With STEP_BREAK: count the tries, with a watchpoint on break_index. Needs a
 * caller that stays on its CPU (EXDEV), and a watchpoint that works (ENODEV).
 */
#define PTELAB_RETRY_WATCH	(1U << 2)

struct ptelab_retry {
	__u32 size;
	__u32 flags;		/* PTELAB_RETRY_* */
	__u32 reader;		/* enum ptelab_reader */
	__u32 script;		/* enum ptelab_script */
	__u32 steps;		/* PTELAB_STEP_* */
	__s32 cpu;		/* the writer's; -1: any but this one */
	__u32 index;		/* entry that is read */
	__u32 break_index;	/* another one: SCRIPT_TRIES, STEP_BREAK; else 0 */
	__u32 tries;		/* SCRIPT_TRIES: a read; 1 at least */
	__u32 hold_ns;		/* STEP_BREAK: broken for so long */
	__u64 reads;		/* how many */
	__u64 seed;
	/* out: what came back */
	__u64 done;		/* reads done */
	__u64 cont;		/* from a folded block */
	__u64 noncont;
	__u64 none;
	/*
	 * out: each value against all that were true at some moment between
	 * the call and its return. True is the target entry, with young and
	 * dirty gathered from those that belong to the same folded block.
	 */
	__u64 exact;		/* is one of them */
	__u64 mixed;		/* is one but for young and dirty */
	__u64 wrong;		/* is none of them: must be 0 */
	__u64 unchecked;	/* too much happened in the meantime to tell */
	__u64 wrong_value;	/* the first wrong one */
	__u64 wrong_expected;	/* what was true when it came back */
	/*
	 * out: each value against the block at the recheck, with the writer
	 * locked out. "gone": set in the value, and no entry has it now;
	 * "missed": an entry has it now, and the value does not; "caught":
	 * the recheck sees it if it compares all bits; "caught_relaxed": or
	 * if it leaves young and dirty out.
	 */
	__u64 dirty_gone;
	__u64 dirty_gone_caught;
	__u64 dirty_gone_caught_relaxed;
	__u64 young_gone;
	__u64 young_gone_caught;
	__u64 young_gone_caught_relaxed;
	__u64 dirty_missed;
	__u64 young_missed;
	/* out: what the writer did */
	__u64 rounds;
	__u64 folds;
	__u64 unfolds;
	__u64 breaks;
	__u64 retries;		/* out: of RETRY_WATCH: tries less reads */
	__u64 ns;		/* out: the whole run */
	__u64 reserved[4];
};

/* --- (f) stores to a BAR through the kernel's own mappings --- */

#define PTELAB_MMIO_MAX_WINDOW	(1ULL << 24)	/* bytes; of STAGE2, too */
#define PTELAB_MMIO_MAX_GROUP	4096U
#define PTELAB_MMIO_MAX_GROUPS	(1ULL << 32)
#define PTELAB_MMIO_MAX_SAMPLES	(1U << 20)

enum ptelab_mmio_map {
	PTELAB_MMIO_IOREMAP,
	PTELAB_MMIO_IOREMAP_WC,
	PTELAB_MMIO_IOREMAP_NP,
	PTELAB_MMIO_MAPS,
};

enum ptelab_mmio_sequence {
	PTELAB_MMIO_RAW8,	/* __raw_writeb() and so on: stores alone */
	PTELAB_MMIO_RAW16,
	PTELAB_MMIO_RAW32,
	PTELAB_MMIO_RAW64,
	/* Then functions of the kernel's, called for each group: */
	PTELAB_MMIO_WRITE32,	/* iowrite32(): with the barrier before it */
	PTELAB_MMIO_WRITE64,
	PTELAB_MMIO_COPY32,	/* __iowrite32_copy() */
	PTELAB_MMIO_COPY64,
	PTELAB_MMIO_MEMCPY,	/* memcpy_toio() */
	PTELAB_MMIO_MEMSET,	/* memset_io() with the low byte of data */
	PTELAB_MMIO_NOTHING,	/* a function that stores nothing */
	PTELAB_MMIO_SEQUENCES,
};

enum ptelab_mmio_flush {
	PTELAB_MMIO_NOFLUSH,
	PTELAB_MMIO_BARRIER,	/* wmb() */
	PTELAB_MMIO_DGH,	/* io_stop_wc() */
	PTELAB_MMIO_READBACK,	/* readl() of the group's first bytes */
};

enum ptelab_mmio_op {
	PTELAB_MMIO_STORE,
	PTELAB_MMIO_READ,	/* the window, into data */
	/* Stores, a load after each group, the time of each into samples */
	PTELAB_MMIO_LATENCY,
};

/*
 * The device has no driver (EBUSY) and is enabled (ENODEV). ENXIO: no such
 * device or no memory BAR. E2BIG: beyond the BAR, or a limit. The BAR stays
 * mapped, and nobody else's (EBUSY), until the file wants another, a call for it
 * fails so, the device gets a driver or is removed, or the file is closed.
 */
struct ptelab_mmio {
	__u32 size;
	__u32 flags;		/* none yet */
	__u32 address;		/* domain << 16 | bus << 8 | devfn */
	__u32 bar;
	__u32 map;		/* enum ptelab_mmio_map */
	__u32 op;		/* enum ptelab_mmio_op */
	__u32 sequence;		/* enum ptelab_mmio_sequence */
	__u32 flush;		/* after each group */
	__u32 group;		/* bytes that are stored in one go */
	__u32 reserved32;
	__u64 offset;		/* of the window in the BAR */
	__u64 window;		/* bytes */
	__u64 step;		/* from group to group; 0: all in one place */
	__u64 groups;		/* how many */
	/*
	 * What is stored: a whole group, and 64 bytes at least. Plain stores
	 * take the low end of word n % 8.
	 */
	__u64 data;
	/* LATENCY: room for a __u64 a group, ticks of the CPU's counter each */
	__u64 samples;
	__u64 ns;		/* out: of all groups */
	__u64 drain_ns;		/* out: of a load after them */
	/* out: byte of MAIR for this mapping, with bit 8 set; 0: not known */
	__u32 stage1;
	__u32 reserved32b;	/* out: 0 */
	__u64 reserved[4];
};

/* What stage 2 of one of the caller's VMs maps. EBADF: not a VM's file. */
struct ptelab_stage2 {
	__u32 size;
	__u32 flags;		/* none yet */
	__s32 vm_fd;
	__u32 fwb;		/* 0; out: 1: HCR_EL2.FWB is in use */
	__u64 gpa;		/* page aligned */
	__u64 len;
	__u64 none;		/* out: pages that are not mapped */
	__u64 memattr[16];	/* out: mapped pages, by MemAttr[3:0] */
	__u64 block;		/* out: of these, pages in a block */
	__u64 reserved[4];
};

/* --- barriers, with the kernel's primitives --- */

#define PTELAB_LITMUS_NAME	32
#define PTELAB_LITMUS_PROCS	4
#define PTELAB_LITMUS_STATES	256
#define PTELAB_LITMUS_MAX_OUTCOMES (1ULL << 26)
#define PTELAB_LITMUS_MAX_SPREAD (1U << 20)

/* Move the variables against each other, and from cache to cache. */
#define PTELAB_LITMUS_SHUFFLE	(1U << 0)
/* Start together once for many outcomes, not for each. */
#define PTELAB_LITMUS_FREE	(1U << 1)

/*
 * Runs a litmus test in kernel threads, one for each of its processes, which
 * go round among the CPUs. ENOENT: the module has no such test; EINVAL: a CPU
 * is not online. Another call waits meanwhile.
 */
struct ptelab_litmus {
	__u32 size;
	__u32 flags;		/* PTELAB_LITMUS_* */
	char name[PTELAB_LITMUS_NAME];	/* "MP+wmb+rmb" */
	__s32 cpu[PTELAB_LITMUS_PROCS];	/* as many as it has processes */
	__u32 stride;		/* lines from an outcome to the next; odd */
	/*
	 * Empty turns of a loop, about a cycle each, that the last to come
	 * waits for at most: as long as a line's way there and back.
	 */
	__u32 spread;
	__u64 outcomes;
	__u64 seed;
	/* out: outcomes, by what was observed, 2 bits each */
	__u64 state[PTELAB_LITMUS_STATES];
	__u64 ns;		/* out: the whole call */
	__u64 reserved[4];
};

#define PTELAB_BARRIER_MAX_STORES	64
#define PTELAB_BARRIER_MAX_OPS		4096
#define PTELAB_BARRIER_MAX_PAGES	256

enum ptelab_barrier_kind {
	PTELAB_BARRIER_NONE,
	PTELAB_BARRIER_COPY,	/* none, in a second copy of the loop */
	PTELAB_BARRIER_MB,	/* smp_mb() */
	PTELAB_BARRIER_WMB,
	PTELAB_BARRIER_RMB,
	PTELAB_BARRIER_RELEASE,	/* the store to the flag is one */
	PTELAB_BARRIER_ACQUIRE,	/* the load behind it is one */
	PTELAB_BARRIER_FULL_MB,	/* mb(), and so on: for devices, too */
	PTELAB_BARRIER_FULL_WMB,
	PTELAB_BARRIER_FULL_RMB,
	PTELAB_BARRIER_DMA_WMB,	/* dma_wmb() */
	PTELAB_BARRIER_DMA_RMB,
	PTELAB_BARRIER_ISB,	/* isb(); EOPNOTSUPP but on arm64 */
	PTELAB_BARRIER_NR,
};

/*
 * A loop on the caller's CPU, not preempted: stores to the lines of a range of
 * the caller's memory, the barrier, a store to a flag, a load. Store number n
 * goes to line (n * 1237) modulo their number, and stores n.
 *
 * The memory stays pinned until another range is asked for, or the file is
 * closed; what the caller maps there meanwhile is not noticed.
 */
struct ptelab_barrier {
	__u32 size;
	__u32 flags;		/* none yet */
	__u32 barrier;		/* enum ptelab_barrier_kind */
	__u32 stores;		/* an operation */
	__u64 addr;
	__u64 len;
	__u64 lines;		/* of 64 bytes in it; a power of two */
	__u64 from;		/* number of the first store */
	__u64 ops;
	__u64 ticks;		/* out: of the CPU's counter, the whole loop */
	__u64 flag;		/* out: what the last store left: ops - 1 */
	__u64 reserved[4];
};

#define PTELAB_IOC_MAGIC	0xB7
#define PTELAB_IOC_ABI		_IOWR(PTELAB_IOC_MAGIC, 0, struct ptelab_abi)
#define PTELAB_IOC_NOTIFY_START	_IOW(PTELAB_IOC_MAGIC, 1, struct ptelab_notify_start)
#define PTELAB_IOC_NOTIFY_STOP	_IOW(PTELAB_IOC_MAGIC, 2, struct ptelab_none)
#define PTELAB_IOC_NOTIFY_READ	_IOWR(PTELAB_IOC_MAGIC, 3, struct ptelab_notify_counts)
#define PTELAB_IOC_NOTIFY_RESET	_IOW(PTELAB_IOC_MAGIC, 4, struct ptelab_none)
#define PTELAB_IOC_PTES		_IOWR(PTELAB_IOC_MAGIC, 5, struct ptelab_ptes)
#define PTELAB_IOC_SHADOW_START	_IOW(PTELAB_IOC_MAGIC, 6, struct ptelab_shadow_start)
#define PTELAB_IOC_SHADOW_STOP	_IOW(PTELAB_IOC_MAGIC, 7, struct ptelab_none)
#define PTELAB_IOC_SHADOW_FILL	_IOWR(PTELAB_IOC_MAGIC, 8, struct ptelab_shadow_fill)
#define PTELAB_IOC_SHADOW_CHECK	_IOWR(PTELAB_IOC_MAGIC, 9, struct ptelab_shadow_check)
#define PTELAB_IOC_SHADOW_TOUCH	_IOWR(PTELAB_IOC_MAGIC, 10, struct ptelab_shadow_touch)
#define PTELAB_IOC_GUP		_IOWR(PTELAB_IOC_MAGIC, 11, struct ptelab_gup)
#define PTELAB_IOC_RETRY_BLOCK	_IOWR(PTELAB_IOC_MAGIC, 12, struct ptelab_retry_block)
#define PTELAB_IOC_RETRY	_IOWR(PTELAB_IOC_MAGIC, 13, struct ptelab_retry)
#define PTELAB_IOC_MMIO		_IOWR(PTELAB_IOC_MAGIC, 14, struct ptelab_mmio)
#define PTELAB_IOC_STAGE2	_IOWR(PTELAB_IOC_MAGIC, 15, struct ptelab_stage2)
#define PTELAB_IOC_LITMUS	_IOWR(PTELAB_IOC_MAGIC, 16, struct ptelab_litmus)
#define PTELAB_IOC_BARRIER	_IOWR(PTELAB_IOC_MAGIC, 17, struct ptelab_barrier)

#endif
