/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A racer: a thread on another CPU that changes the page table entries of a
 * region, over and over, while a benchmark works on the same folios.
 */
#ifndef PTELAB_RACER_H
#define PTELAB_RACER_H

#include "bench/kit/mm.h"

enum racer_kind {
	RACER_NONE,
	RACER_MPROTECT,	/* read-only and back */
	RACER_DONTNEED,	/* zapped and populated again */
	RACER_FORK,	/* write-protected by a fork, then replaced by new */
};

/* For a parameter's choices; RACER_HELP for its help. */
extern const char *const racer_choices[];
#define RACER_HELP \
	"what another CPU does to the same folios meanwhile; its faults are counted too"
#define RACER_PAUSE_HELP \
	"how long the racer waits after each time; racer_rounds is how often that was"

/* What the benchmark does with the pages: decides which racers it survives. */
enum racer_victim {
	VICTIM_READ,		/* gets pages for reading */
	VICTIM_READ_PIN,	/* pins pages for reading */
	VICTIM_WRITE,		/* gets or pins pages for writing */
};

enum racer_kind racer_kind(const char *text);
/* Why the pair measures something else than it says; NULL if not. Pure. */
const char *racer_conflict(enum racer_kind kind, enum racer_victim victim);
/* The same, or that there is no CPU for it. */
const char *racer_unavailable(const struct bench_ctx *ctx,
			      enum racer_kind kind, enum racer_victim victim);

struct racer;

/*
 * Makes the thread, asleep, which will wait for @pause_us microseconds between
 * rounds. RACER_NONE gives a racer that does nothing.
 */
struct racer *racer_new(const struct bench_ctx *ctx, enum racer_kind kind,
			uint64_t pause_us, struct mm_region *r);
/* Sets it off, if it is not running, and waits for its first round. */
int racer_start(struct racer *r);
/* Rounds so far; cheap. */
uint64_t racer_rounds(const struct racer *r);
/*
 * Waits until it stands still; the region is then populated and writable.
 * Returns 0 or what went wrong in it, -errno with fail() text.
 */
int racer_stop(struct racer *r);
void racer_free(struct racer *r);

#endif
