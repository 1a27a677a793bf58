/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The whole interface of ptelab.ko: one device, /dev/ptelab, and ioctls.
 *
 * The device belongs to root, and opening it requires CAP_SYS_ADMIN, because it
 * reveals physical and kernel addresses. For that reason opening it fails (EPERM)
 * where the kernel is locked down for confidentiality. What an open file has set
 * up (notifiers, a shadow TLB) applies to the address space that set it up, and
 * ends when the file is closed or the address space is gone.
 *
 * Every argument starts with its own size, which must be exact, and flags.
 * Unknown flags and non-zero reserved fields are refused (EINVAL), so that they
 * can be given a meaning later. Fields marked "out" are overwritten, so their
 * initial values do not matter. PTELAB_IOC_ABI never changes; a change to
 * anything else raises PTELAB_ABI_VERSION.
 *
 * Errors with the same meaning everywhere: EINVAL a bad argument, E2BIG more
 * than a limit allows, EFAULT a bad pointer or a range beyond user space, EBUSY
 * already started, ENODATA not started, ESRCH started by another address space,
 * EOPNOTSUPP not supported by this kernel, EINTR a signal came while another
 * thread had the file, or the caller was killed during the call.
 *
 * One file though it is long: users of the module read a single header.
 */
#ifndef PTELAB_UAPI_H
#define PTELAB_UAPI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define PTELAB_DEVICE		"/dev/ptelab"
#define PTELAB_ABI_VERSION	7

/* --- what this module and kernel can do --- */

#define PTELAB_FEAT_SECONDARY	(1U << 0) /* arch_invalidate_secondary_tlbs */
/* Its predecessor, invalidate_range, which invalidate_range_end also calls. */
#define PTELAB_FEAT_INV_RANGE	(1U << 1)
#define PTELAB_FEAT_CONTPTE	(1U << 2) /* PTELAB_IOC_RETRY works */
#define PTELAB_FEAT_MEMTYPE	(1U << 3) /* ptelab_pte.memtype is filled in */
#define PTELAB_FEAT_MMIO	(1U << 4) /* PTELAB_IOC_MMIO works */
#define PTELAB_FEAT_STAGE2	(1U << 5) /* PTELAB_IOC_STAGE2 works */

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

#define PTELAB_EVENTS		16	/* the last one counts all events beyond it */

/* Which callbacks to count; at least one. */
#define PTELAB_NOTIFY_RANGE	(1U << 0) /* start, end, *_young */
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
	__u64 calls;		/* that overlap the requested range */
	__u64 bytes;		/* of the overlap; without those of whole */
	__u64 whole;		/* calls for the whole address space */
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
	__u64 elsewhere;	/* calls outside the requested range */
	__u64 released;		/* 1: the address space is gone */
	__u64 reserved[5];
};

/* The argument of NOTIFY_STOP, NOTIFY_RESET and SHADOW_STOP */
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
	PTELAB_LEVEL_PMD,	/* a leaf: its entry maps many pages */
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
#define PTELAB_PTE_VALID	(1U << 1) /* the CPU's table walker accepts it */
#define PTELAB_PTE_WRITE	(1U << 2) /* as pte_write() */
#define PTELAB_PTE_EXEC		(1U << 3) /* by user space */
#define PTELAB_PTE_YOUNG	(1U << 4)
#define PTELAB_PTE_DIRTY	(1U << 5)
#define PTELAB_PTE_CONT		(1U << 6)
#define PTELAB_PTE_SPECIAL	(1U << 7)
#define PTELAB_PTE_HUGETLB	(1U << 8) /* read without a lock */
#define PTELAB_PTE_SWAP		(1U << 9) /* not present, not empty */

/* One page: the entry itself, not gathered from a contpte block. */
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
 * 512 pages at a time are read under one lock (all entries of one table page
 * with 4K pages). Contpte blocks are not split if the range has whole blocks.
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
	__u64 memtype[8];	/* of present pages, by enum ptelab_memtype */
	/* out: complete aligned blocks: all valid, CONT, consistent */
	__u64 cont_blocks;
	/* out: of PTELAB_PTES_COMPARE */
	__u64 compared;
	__u64 different;
	__u64 reserved[4];
};

/*
 * --- (e) a secondary TLB in software ---
 *
 * An entry is one leaf of the page table: a page, even if it is part of a
 * contpte block, or everything that a PMD or PUD leaf maps (hugetlb as well).
 * Invalidation of one page of a leaf drops the whole leaf.
 */

#define PTELAB_SHADOW_MAX_PAGES	(1U << 16)

/* What it listens to. With none of these it never drops anything. */
#define PTELAB_SHADOW_RANGE	(1U << 0) /* invalidate_range_start/end */
#define PTELAB_SHADOW_SECONDARY	(1U << 1) /* arch_invalidate_secondary_tlbs */

/* Creates an empty shadow for a range of the caller's address space. */
struct ptelab_shadow_start {
	__u32 size;
	__u32 flags;		/* PTELAB_SHADOW_* */
	__u64 addr;
	__u64 len;
	__u64 reserved[4];
};

/*
 * Caches the translations of a part of the range, like a device that touches
 * every page. If a leaf reaches beyond the part, its rest is cached, too.
 */
struct ptelab_shadow_fill {
	__u32 size;
	__u32 flags;		/* none yet */
	__u64 addr;
	__u64 len;
	__u64 filled;		/* out: entries cached now */
	__u64 absent;		/* out: pages without a translation */
	__u64 blocked;		/* out: pages under invalidation at that time */
	__u64 reserved[4];
};

/* Why a cached entry is stale; it counts once, as the first that applies. */
enum ptelab_stale_kind {
	PTELAB_STALE_UNMAPPED,	/* the page table allows no access */
	PTELAB_STALE_PFN,	/* the page table maps another page */
	PTELAB_STALE_DOWNGRADED, /* cached: more than the page table allows */
	PTELAB_STALE_UPGRADED,	/* cached: less than the page table allows */
	PTELAB_STALE_NR,
};

#define PTELAB_CACHED_VALID	(1U << 0)
#define PTELAB_CACHED_WRITE	(1U << 1)
#define PTELAB_CACHED_EXEC	(1U << 2)

struct ptelab_stale {
	__u64 addr;		/* the first page of the stale entry */
	__u64 cached_pfn;	/* of that page */
	__u64 raw;		/* the page table's entry */
	__u32 cached;		/* PTELAB_CACHED_* */
	__u32 kind;		/* enum ptelab_stale_kind */
};

/* Compares the shadow with the page table, for a part of the range. */
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

/* --- (b) GUP-fast in a loop --- */

#define PTELAB_GUP_MAX_PAGES	(1U << 14)	/* a call */
#define PTELAB_GUP_MAX_CALLS	(1ULL << 32)

#define PTELAB_GUP_PIN		(1U << 0) /* pin_, else get_user_pages_fast */
#define PTELAB_GUP_WRITE	(1U << 1) /* FOLL_WRITE */
#define PTELAB_GUP_LONGTERM	(1U << 2) /* FOLL_LONGTERM; needs PIN */

/*
 * Gets and puts @pages pages, continues with the next ones, and starts again at
 * the beginning of the range when the next call would exceed it.
 */
struct ptelab_gup {
	__u32 size;
	__u32 flags;		/* PTELAB_GUP_* */
	__u64 addr;
	__u64 len;		/* at least the pages of one call */
	__u64 calls;		/* how many */
	__u32 pages;		/* a call */
	__u32 reserved32;
	__u64 pages_got;	/* out */
	__u64 short_calls;	/* out: got some, but not all */
	__u64 failed_calls;	/* out: got no page */
	__s64 error;		/* out: of the first failed call, -errno */
	__u64 ns;		/* out: the whole loop, puts included */
	__u64 reserved[4];
};

/* --- (d) the lockless contpte reader against a known writer --- */

#define PTELAB_RETRY_MAX_READS	(1ULL << 32)
#define PTELAB_RETRY_MAX_HOLD	100000U		/* ns */
#define PTELAB_RETRY_MAX_TRIES	256U		/* a read */

enum ptelab_reader {
	PTELAB_READER_KERNEL,	/* contpte_ptep_get_lockless() */
	PTELAB_READER_SINGLE,	/* reads only the target entry */
};

enum ptelab_script {
	/*
	 * A writer on another CPU does the selected steps as fast as it can, in
	 * an order that the seed determines.
	 */
	PTELAB_SCRIPT_RACE,
	/*
	 * Before each read break_index is made invalid. It is mended when the
	 * reader comes to it for the tries-th time, so each read retries
	 * exactly tries - 1 times on any machine. Implies RETRY_WATCH.
	 */
	PTELAB_SCRIPT_TRIES,
	/* There is no writer. */
	PTELAB_SCRIPT_QUIET,
	PTELAB_SCRIPT_NR,
};

/* Steps of PTELAB_SCRIPT_RACE. Fold and unfold always alternate with them. */
#define PTELAB_STEP_AGE		(1U << 0) /* clear young, entry by entry */
/* Make one entry young and dirty, like hardware. */
#define PTELAB_STEP_HW		(1U << 1)
#define PTELAB_STEP_CLEAN	(1U << 2) /* clear dirty, entry by entry */
#define PTELAB_STEP_WRPROTECT	(1U << 3) /* clear write, entry by entry */
#define PTELAB_STEP_ZAP		(1U << 4) /* clear all, then map another folio */
/*
 * Must be the only step: break_index is made invalid, and mended after hold_ns.
 * The block stays folded, old and clean, so the reader reads break_index
 * exactly once per try.
 */
#define PTELAB_STEP_BREAK	(1U << 5)

/*
 * With SCRIPT_TRIES and STEP_BREAK: make entry 0 young or dirty. A reader that
 * stops when it has found both never reads break_index if both are set.
 */
#define PTELAB_RETRY_YOUNG	(1U << 0)
#define PTELAB_RETRY_DIRTY	(1U << 1)
/*
 * With STEP_BREAK: count the tries, with a watchpoint on break_index. Requires
 * a caller that stays on its CPU (EXDEV), and a working watchpoint (ENODEV).
 */
#define PTELAB_RETRY_WATCH	(1U << 2)

struct ptelab_retry {
	__u32 size;
	__u32 flags;		/* PTELAB_RETRY_* */
	__u32 reader;		/* enum ptelab_reader */
	__u32 script;		/* enum ptelab_script */
	__u32 steps;		/* PTELAB_STEP_* */
	__s32 cpu;		/* of the writer; -1: any other than the caller's */
	__u32 index;		/* the target entry */
	__u32 break_index;	/* SCRIPT_TRIES, STEP_BREAK: another entry */
	__u32 tries;		/* SCRIPT_TRIES: per read; at least 1 */
	__u32 hold_ns;		/* STEP_BREAK: how long the entry is invalid */
	__u64 reads;		/* how many */
	__u64 seed;
	/* out: the kinds of values that were read */
	__u64 done;		/* reads done */
	__u64 cont;		/* of a folded block */
	__u64 noncont;
	__u64 none;
	/*
	 * out: each value compared with all that were true at some moment
	 * between the call and its return. True is the target entry, with young
	 * and dirty gathered from the entries of the same folded block.
	 */
	__u64 exact;		/* equal to one of them */
	__u64 mixed;		/* equal to one of them except for young and dirty */
	__u64 wrong;		/* equal to none of them: must be 0 */
	__u64 unchecked;	/* too many changes meanwhile to decide */
	__u64 wrong_value;	/* the first wrong one */
	__u64 wrong_expected;	/* what was true when the read returned */
	/*
	 * out: each value compared with the block at the recheck, with the
	 * writer locked out. "gone": set in the value, but no entry has it now.
	 * "missed": not set in the value, but an entry has it now. "caught": a
	 * recheck of all bits notices. "caught_relaxed": a recheck without
	 * young and dirty notices.
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
	__u64 retries;		/* out: with RETRY_WATCH: tries minus reads */
	__u64 ns;		/* out: the whole run */
	__u64 reserved[4];
};

/* --- (f) stores to a BAR through the kernel's own mappings --- */

#define PTELAB_MMIO_MAX_WINDOW	(1ULL << 24)	/* bytes; also a limit of STAGE2 */
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
	PTELAB_MMIO_RAW8,	/* __raw_writeb() and so on: only stores */
	PTELAB_MMIO_RAW16,
	PTELAB_MMIO_RAW32,
	PTELAB_MMIO_RAW64,
	/* The others are functions of the kernel, called for each group: */
	PTELAB_MMIO_WRITE32,	/* iowrite32(), which has a barrier before the store */
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
	PTELAB_MMIO_READ,	/* copy the window to data */
	/* Store groups, load after each, put the time into samples. */
	PTELAB_MMIO_LATENCY,
};

/*
 * The device must have no driver (EBUSY), must be enabled and decode memory
 * (ENODEV), and the kernel must not be locked down (EPERM). ENXIO: no such device,
 * or not a memory BAR. E2BIG: beyond the BAR, or above a limit. The BAR stays
 * mapped and reserved (others get EBUSY) until the file maps another one, a call
 * for it fails with one of these errors, the device gets a driver or is removed,
 * or the file is closed.
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
	__u32 group;		/* bytes of a group */
	__u32 reserved32;
	__u64 offset;		/* of the window in the BAR */
	__u64 window;		/* bytes */
	__u64 step;		/* from one group to the next; 0: no step */
	__u64 groups;		/* how many */
	/*
	 * The data to store: a whole group, and at least 64 bytes. Plain stores
	 * take the low end of word n % 8.
	 */
	__u64 data;
	/* LATENCY: gets a __u64 per group, ticks of the CPU's counter */
	__u64 samples;
	__u64 ns;		/* out: all groups */
	__u64 drain_ns;		/* out: of a load after them */
	/* out: the MAIR byte of this mapping, with bit 8 set; 0: unknown */
	__u32 stage1;
	__u32 reserved32b;	/* out: 0 */
	__u64 reserved[4];
};

/*
 * What stage 2 of one of the caller's VMs maps. EBADF: not a VM. EOPNOTSUPP also
 * with kvm-arm.mode=protected, where the hypervisor has the tables.
 */
struct ptelab_stage2 {
	__u32 size;
	__u32 flags;		/* none yet */
	__s32 vm_fd;
	__u32 fwb;		/* 0; out: 1: HCR_EL2.FWB is in use */
	__u64 gpa;		/* page aligned */
	__u64 len;
	__u64 none;		/* out: pages that are not mapped */
	__u64 memattr[16];	/* out: mapped pages, by MemAttr[3:0] */
	__u64 block;		/* out: pages of these that a block maps */
	__u64 reserved[4];
};

/* --- barriers, with the kernel's primitives --- */

#define PTELAB_LITMUS_NAME	32
#define PTELAB_LITMUS_PROCS	4
#define PTELAB_LITMUS_STATES	256
#define PTELAB_LITMUS_MAX_OUTCOMES (1ULL << 26)
#define PTELAB_LITMUS_MAX_SPREAD (1U << 20)

/* Move the variables relative to each other, and between caches. */
#define PTELAB_LITMUS_SHUFFLE	(1U << 0)
/* Synchronize the threads once for many outcomes, not for each. */
#define PTELAB_LITMUS_FREE	(1U << 1)

/*
 * Runs a litmus test in kernel threads, one for each of its processes. The
 * threads change roles, so that each process runs on each CPU. ENOENT: the
 * module has no such test. EINVAL: a CPU is not online. Concurrent calls wait.
 */
struct ptelab_litmus {
	__u32 size;
	__u32 flags;		/* PTELAB_LITMUS_* */
	char name[PTELAB_LITMUS_NAME];	/* "MP+wmb+rmb" */
	__s32 cpu[PTELAB_LITMUS_PROCS];	/* one for each process of the test */
	__u32 stride;		/* lines from one outcome to the next; odd */
	/*
	 * The longest delay of the last thread to arrive, in empty turns of a
	 * loop (about a cycle each): the round trip of a cache line.
	 */
	__u32 spread;
	__u64 outcomes;
	__u64 seed;
	/* out: outcomes, by observed state, 2 bits per register */
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
	PTELAB_BARRIER_RELEASE,	/* the store to the flag has release semantics */
	PTELAB_BARRIER_ACQUIRE,	/* the load after it has acquire semantics */
	PTELAB_BARRIER_FULL_MB,	/* mb() and so on also order device accesses */
	PTELAB_BARRIER_FULL_WMB,
	PTELAB_BARRIER_FULL_RMB,
	PTELAB_BARRIER_DMA_WMB,	/* dma_wmb() */
	PTELAB_BARRIER_DMA_RMB,
	PTELAB_BARRIER_ISB,	/* isb(); EOPNOTSUPP except on arm64 */
	PTELAB_BARRIER_NR,
};

/*
 * Runs a loop on the caller's CPU with preemption disabled: stores to the lines
 * of a range of the caller's memory, the barrier, a store to a flag, a load.
 * Store number n goes to line (n * 1237) modulo the number of lines, and stores
 * n.
 *
 * The memory stays pinned until another range is requested or the file is
 * closed. If the caller maps something else there meanwhile, the module does
 * not notice.
 */
struct ptelab_barrier {
	__u32 size;
	__u32 flags;		/* none yet */
	__u32 barrier;		/* enum ptelab_barrier_kind */
	__u32 stores;		/* per operation */
	__u64 addr;
	__u64 len;
	__u64 lines;		/* of 64 bytes, in the range; a power of two */
	__u64 from;		/* number of the first store */
	__u64 ops;
	__u64 ticks;		/* out: of the CPU's counter, for the whole loop */
	__u64 flag;		/* out: the last value stored to the flag: ops - 1 */
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
#define PTELAB_IOC_GUP		_IOWR(PTELAB_IOC_MAGIC, 10, struct ptelab_gup)
#define PTELAB_IOC_RETRY	_IOWR(PTELAB_IOC_MAGIC, 11, struct ptelab_retry)
#define PTELAB_IOC_MMIO		_IOWR(PTELAB_IOC_MAGIC, 12, struct ptelab_mmio)
#define PTELAB_IOC_STAGE2	_IOWR(PTELAB_IOC_MAGIC, 13, struct ptelab_stage2)
#define PTELAB_IOC_LITMUS	_IOWR(PTELAB_IOC_MAGIC, 14, struct ptelab_litmus)
#define PTELAB_IOC_BARRIER	_IOWR(PTELAB_IOC_MAGIC, 15, struct ptelab_barrier)

#endif
