/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pattern of bringing a vCPU up: fill its context, set is_initialised,
 * clear the down flag; another CPU tests one of the two and reads the context.
 * In the variants that were discussed; for barrier.publish.
 */
#ifndef PTELAB_PUBLISH_H
#define PTELAB_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/litmus/litmus_test.h"

enum publish_writer {
	WRITER_NONE,
	WRITER_MB,	/* smp_mb() before the flag only */
	WRITER_WMB,	/* smp_wmb() before is_initialised */
	WRITER_RELEASE,	/* is_initialised stored by smp_store_release() */
	WRITER_RELEASES, /* smp_store_release() for both */
	NR_WRITERS,
};

enum publish_reader {
	READER_NONE,	/* reads the context whatever the result of the test */
	READER_CTRL,	/* reads only if the test succeeds */
	READER_RMB,	/* the same, with smp_rmb() in between */
	READER_ACQUIRE,	/* tests with smp_load_acquire() */
	READER_FULL,	/* smp_mb() in between, as in vcpu_pause() */
	NR_READERS,
};

/* The word that the reader tests */
enum publish_watch { WATCH_FLAG, WATCH_INITIALISED, NR_WATCHES };

/* For parameters' choices, in the order of the enums. */
extern const char *const publish_writers[], *const publish_readers[],
	*const publish_watches[];

/*
 * One vCPU. Every word holds the number of the last publication: for
 * publication n the flag is clear once it holds n.
 */
struct publish_slot {
	uint64_t *words;
	uint64_t *initialised;
	uint64_t *flag;
};

#define PUBLISH_MAX_WORDS	256
/* vCPUs that publications use in turn; a power of two. */
#define PUBLISH_SLOTS		256

/*
 * Returns the name of the equivalent litmus test, "MP+wmb+rmb": message passing
 * from the context to the tested word, with the barriers of both sides. Of the
 * writer's barriers only those between the two count: a release store of
 * is_initialised does not order the flag.
 */
const char *publish_litmus(enum publish_writer w, enum publish_reader r,
			   enum publish_watch watch);

/* --- the two sides --- */

/* Publishes @n in @s, with @words words of context. */
typedef void publish_fn(const struct publish_slot *s, unsigned int words,
			uint64_t n);
/* The same; returns the clock just before the store to @watch. */
typedef uint64_t publish_stamp_fn(const struct publish_slot *s,
				  unsigned int words, uint64_t n,
				  enum publish_watch watch);
struct publish_seen {
	uint64_t seen, usable;	/* readings of the clock */
};

/*
 * Waits until *@watch is @n, then copies the context. @t, if not NULL, gets the
 * times when it was seen and when the context had been read.
 */
typedef void observe_fn(const struct publish_slot *s, unsigned int words,
			uint64_t n, enum publish_watch watch, uint64_t *copy,
			struct publish_seen *t);

struct publish_side {
	publish_fn *publish;
	publish_stamp_fn *publish_stamp;
	/* @ops publications, from number @n, each in slot number % SLOTS */
	void (*loop)(const struct publish_slot *s, unsigned int words,
		     uint64_t n, uint64_t ops);
};

struct observe_side {
	observe_fn *observe;
	/* @ops tests, from number @n, which read whichever number is there */
	uint64_t (*loop)(const struct publish_slot *s, unsigned int words,
			 uint64_t n, uint64_t ops, enum publish_watch watch);
};

extern const struct publish_side publish_sides[NR_WRITERS];
extern const struct observe_side observe_sides[NR_READERS];
/* Second copies of the loops without a barrier (NONE, CTRL). */
extern const struct publish_side publish_copy;
extern const struct observe_side observe_copy;

#endif
