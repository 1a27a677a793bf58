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
	"what another CPU does to the same folios at the same time; its faults are counted, too"
#define RACER_PAUSE_HELP \
	"pause of the racer after each round; racer_rounds is the number of rounds"

/* How the benchmark uses the pages, which determines the racers it supports. */
enum racer_victim {
	VICTIM_READ,		/* gets pages for reading */
	VICTIM_READ_PIN,	/* pins pages for reading */
	VICTIM_WRITE,		/* gets or pins pages for writing */
};

enum racer_kind racer_kind(const char *text);
/* Returns why the combination would not measure what it says; NULL if it does. Pure. */
const char *racer_conflict(enum racer_kind kind, enum racer_victim victim);
/* The same, but also checks that there is a CPU for the racer. */
const char *racer_unavailable(const struct bench_ctx *ctx,
			      enum racer_kind kind, enum racer_victim victim);

struct racer;

/*
 * Creates the thread, asleep; it will pause for @pause_us microseconds between
 * rounds. With RACER_NONE the racer does nothing.
 */
struct racer *racer_new(const struct bench_ctx *ctx, enum racer_kind kind,
			uint64_t pause_us, struct mm_region *r);
/* Starts the racer, if it is not running, and waits for its first round. */
int racer_start(struct racer *r);
/* Returns the rounds so far; cheap. */
uint64_t racer_rounds(const struct racer *r);
/*
 * Stops the racer and waits for it; the region is then populated and writable.
 * Returns 0, or -errno with fail() text if the racer failed.
 */
int racer_stop(struct racer *r);
void racer_free(struct racer *r);

#endif
