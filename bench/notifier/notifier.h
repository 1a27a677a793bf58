/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Internals of the notifier family: what each benchmark adds to the steps that all
 * of them share, which are in notifier.c:
 *
 *	prepare		fresh folios with known words in them
 *			op->before	e.g. made read-only
 *			the guest reads every page: stage 2 maps them all
 *			op->arm		e.g. fork, exit, the guest reads again
 *	measure=op	run: op->host
 *			verify: op->proof, then the guest reads once more
 *	measure=guest	prepare continues with op->host and op->proof
 *			run: the guest accesses the same pages
 *			verify: it read, or wrote, the right words
 *
 * There are two shapes. If a call covers a range, each call has its own mapping,
 * so that no call splits or merges the mappings of another. A benchmark that works
 * page by page has one mapping for all pages.
 */
#ifndef PTELAB_BENCH_NOTIFIER_H
#define PTELAB_BENCH_NOTIFIER_H

#include <signal.h>

#include "bench/bench.h"
#include "bench/kit/mm.h"
#include "bench/kit/params.h"
#include "bench/kit/vm.h"

struct notifier_op {
	struct bench bench;

	/*
	 * Mappings per call: 1, or 2 if pages move to the other. 0: the shape
	 * with one mapping, of which each unit is an operation.
	 */
	unsigned int maps;
	/* Maximum calls per batch; 0: as many as memory allows. */
	uint64_t max_calls;
	/* Approximate instructions per call, and per page that it covers. */
	unsigned int call_cost, page_cost;
	/* The same per leaf, if a leaf costs more than a page. */
	uint64_t (*cost)(const struct bench_ctx *ctx);
	/* Maximum copies of each page that exist beside it. */
	unsigned int extra;
	/* A call covers the range of a PMD, whatever the folio size. */
	bool pmd_range;

	/* Returns why it is unavailable, beyond the common reasons, or NULL. */
	const char *(*refused)(const struct bench_ctx *ctx);
	/* Called after the region is opened, before the VM is created. */
	int (*setup)(struct bench_ctx *ctx);
	/* Instead of nt_fresh_folios(). */
	int (*fresh)(struct bench_ctx *ctx);
	int (*before)(struct bench_ctx *ctx);
	int (*arm)(struct bench_ctx *ctx);
	/* Does the @n operations of a batch, like bench->run. */
	int64_t (*host)(struct bench_ctx *ctx, uint64_t n);
	/*
	 * Proves that they happened. Must not touch the pages: with
	 * measure=guest the guest has not accessed them yet. nt->after already
	 * has the result of nt_pages_now().
	 */
	int (*proof)(struct bench_ctx *ctx, const struct bench_deltas *d);
	/* More proof, which may touch pages; called last. */
	int (*late)(struct bench_ctx *ctx);
	/*
	 * Returns the word that the guest finds at nt->offset of visited page
	 * @v afterwards. NULL: the initial word.
	 */
	uint32_t (*word)(const struct bench_ctx *ctx, uint64_t v);
	/* The guest may still have its mappings afterwards. */
	bool may_keep;
	/* The operation leaves nothing that the guest could read. */
	bool gone;
	void (*teardown)(struct bench_ctx *ctx);
};

/* An entry of /proc/self/pagemap. */
#define PM_PFN		((1ULL << 55) - 1)
#define PM_SOFT_DIRTY	(1ULL << 55)
#define PM_EXCLUSIVE	(1ULL << 56)	/* mapped here only */
#define PM_UFFD_WP	(1ULL << 57)
#define PM_SWAPPED	(1ULL << 62)
#define PM_PRESENT	(1ULL << 63)

enum dir { DIR_DOWN, DIR_UP, DIR_ROUNDTRIP };

/* The state of a point. */
struct notifier {
	/* Parameters that the timed region needs. */
	bool guest;		/* measure=guest */
	bool guest_writes;
	enum dir dir;
	struct mm_region r;
	uint64_t step;		/* from one visited page to the next */
	uint64_t sub;		/* pages of each step that the guest visits */
	uint64_t per_map;	/* pages visited in a mapping */
	uint64_t calls;		/* host operations a batch */
	uint64_t visits;	/* pages that the guest visits */
	unsigned int maps;	/* mappings a call */
	bool moved;		/* to the second mapping of each call */
	struct vm *vm;
	int shadow;		/* the module's device; -1: none */
	uint64_t *before, *after;	/* pagemap entries of visited pages */
	uint64_t batch;		/* number of the current batch */
	uint64_t serial;	/* the same, counted over all points */
	unsigned int offset;	/* of the word that the guest reads last */
	bool alike;		/* all pages hold the same word */
	bool prove_due;		/* have the folios proved at the next prepare */
	bool ran;		/* a guest's pass is still to be checked */
	uint32_t sum;		/* of that pass */
	uint32_t value;		/* what is written to pages in this batch */
	uint64_t stat[4];	/* KVM's statistics at the end of prepare */
	bool had_stat[4];

	/* Used by single benchmarks: */
	struct mm_child *child;
	bool forked;
	pid_t pid;
	char *stack;
	sigset_t mask;
	bool masked;
	int fd;			/* -1: none */
	long mark;		/* of the journal, if marked */
	bool marked;
	void **pages;		/* move_pages() */
	int *nodes, *status;
	int node[2];		/* from, to */
	int ksm_progress, ksm_sleep;	/* files; 0: not open */
	bool ksm_merge;
	bool split_folio;
	char *text;
	int text_len;
};

static inline struct notifier *nt_of(const struct bench_ctx *ctx)
{
	return ctx->priv;
}

/* Offsets of words in a page. The first is 8 bytes, MM_PATTERN(). */
#define WORD_PATTERN	0
#define WORD_HOST	64	/* written by the host's operation */
#define WORD_GUEST	128	/* written by the guest */
#define WORD_SCRATCH	192	/* for proofs that have to write */

static inline const struct notifier_op *nt_op(const struct bench_ctx *ctx)
{
	return (const struct notifier_op *)((const char *)ctx->bench -
			__builtin_offsetof(struct notifier_op, bench));
}

/* --- what benchmarks share, in notifier.c --- */

/* Parameters that all of them have, and those of ranges. */
extern const char *const notifier_secondary[], *const notifier_measure[],
	*const notifier_access[], *const notifier_dir[];

#define PARAM_SECONDARY \
	{ .name = "secondary", .type = PARAM_ENUM, .def = "none", \
	  .choices = notifier_secondary, \
	  .help = "who subscribes: nobody, the module's shadow TLB, a VM with all pages mapped in stage 2" }
#define PARAM_PAGES(n) \
	{ .name = "pages", .type = PARAM_INT, .unit = "pages", .def = n, \
	  .min = 1, .max = 1 << 18, .help = "base pages per call" }
#define PARAM_MEASURE \
	{ .name = "measure", .type = PARAM_ENUM, .def = "op", \
	  .choices = notifier_measure, \
	  .help = "measure the host's operation, or the guest's next pass over the same pages" }
#define PARAM_GUEST \
	{ .name = "guest", .type = PARAM_ENUM, .def = "read", \
	  .choices = notifier_access, \
	  .help = "with measure=guest: the guest's access to each page" }
#define PARAM_DIR \
	{ .name = "dir", .type = PARAM_ENUM, .def = "down", \
	  .choices = notifier_dir, \
	  .help = "down removes the write permission, up restores it, roundtrip does both in one operation" }

uint64_t nt_folio(const struct bench_ctx *ctx);
/* Returns the pages that a call covers, if the benchmark has calls. */
uint64_t nt_pages(const struct bench_ctx *ctx);
bool nt_has_vm(const struct bench_ctx *ctx);
bool nt_measures_guest(const struct bench_ctx *ctx);
bool nt_is_pmd(const struct bench_ctx *ctx);
bool nt_is_hugetlb(const struct bench_ctx *ctx);

static inline uint64_t nt_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* --- pages, and what guest and KVM report of them, in notifier_memory.c --- */

/* Return call @i's memory, its second mapping, and the size of its range. */
char *nt_call_at(const struct notifier *nt, uint64_t i);
char *nt_call_to(const struct notifier *nt, uint64_t i);
size_t nt_call_bytes(const struct notifier *nt);
/* Returns where the guest's next pass finds visited page @v. */
char *nt_page_at(const struct notifier *nt, uint64_t v);

/* Drops and populates all pages of the region. */
int nt_fresh_folios(struct bench_ctx *ctx);
/* The same if some mappings are gone; nothing else may be mapped there. */
int nt_fresh_mappings(struct bench_ctx *ctx);
/* Fills @entry with the pagemap entries of the visited pages. */
int nt_pages_now(const struct notifier *nt, uint64_t *entry);
/*
 * Has the guest read all visited pages, and checks that the word at @offset is
 * what @word returns (NULL: the pattern). Does nothing without a VM.
 */
int nt_guest_reads(struct bench_ctx *ctx, unsigned int offset,
		   uint32_t (*word)(const struct bench_ctx *ctx, uint64_t v));
/* Checks that every visited page still has its frame, or that none has. */
int nt_same_frames(struct bench_ctx *ctx);
int nt_other_frames(struct bench_ctx *ctx);
int nt_none_present(struct bench_ctx *ctx);
/*
 * Moves the pages of this CPU's LRU batches to the LRU lists. Until then a
 * folio can be neither lazily freed nor isolated.
 */
int nt_drain_lru(void);
/* Checks that the host can write the first byte of call @i's range. */
int nt_writable(const struct notifier *nt, uint64_t i, bool *can);
/* Returns the word that the host wrote in upgrade and cow. */
uint32_t nt_host_word(const struct bench_ctx *ctx, uint64_t v);

/* Checks that every visited page is in a folio of the requested size. */
int nt_folios_whole(struct bench_ctx *ctx);
/* Writes the words that the guest must find. */
void nt_write_patterns(struct notifier *nt);
/* Passes the list of pages to visit to the guest. */
int nt_list_pages(struct notifier *nt);
/* Checks what the guest's timed pass has read or written. */
int nt_check_pass(struct bench_ctx *ctx);
int nt_stage2_holds(struct bench_ctx *ctx);
/* Read KVM's own statistics, and report their changes since. */
void nt_stats_take(struct notifier *nt);
void nt_stats_count(struct bench_ctx *ctx);

/* --- the module as a listener, in notifier_shadow.c --- */

const char *shadow_refused(const struct bench_ctx *ctx);
/* Returns the largest range of addresses that it covers. */
uint64_t shadow_max_bytes(void);
int shadow_open(struct bench_ctx *ctx);
void shadow_close(struct notifier *nt);
/* Caches all pages of all calls in their current state. */
int shadow_fill(struct bench_ctx *ctx);
/* bench_count()s the cached entries that are stale. */
int shadow_count(struct bench_ctx *ctx);

/* Ready-made members of struct bench. */
bool notifier_subscribes(const struct bench_ctx *ctx);
unsigned int notifier_events(const struct bench_ctx *ctx);
const char *notifier_unavailable(const struct bench_ctx *ctx);
void notifier_size(const struct bench_ctx *ctx, uint64_t *def, uint64_t *max);
int notifier_setup(struct bench_ctx *ctx);
int notifier_prepare(struct bench_ctx *ctx);
int64_t notifier_run(struct bench_ctx *ctx, unsigned int thread);
int notifier_verify(struct bench_ctx *ctx, const struct bench_deltas *d);
void notifier_teardown(struct bench_ctx *ctx);

/* ->teardown of benchmarks that change settings; in notifier_page.c. */
void nt_settings_teardown(struct bench_ctx *ctx);

#define NOTIFIER_STEPS \
	.needs_root = true, .unavailable = notifier_unavailable, \
	.subscribes = notifier_subscribes, .runs_guest = nt_measures_guest, \
	.events = notifier_events, \
	.size = notifier_size, .setup = notifier_setup, \
	.prepare = notifier_prepare, .run = notifier_run, \
	.verify = notifier_verify, .teardown = notifier_teardown

/* In .words: what precedes the operation, and who listens. */
#define AFTER	"{measure:guest=guest's next pass after }"
#define LISTENS	"{secondary:none=, no listener|module=, module listens|kvm=, VM maps it|kvm+module=, VM and module}"

#define CALL_OP	"one call; with measure=guest one page that the guest accesses"

#endif
