// SPDX-License-Identifier: GPL-2.0
/* See publish.h. Both sides, for each variant. */
#include "bench/barrier/publish.h"

#include <stdio.h>
#include <string.h>

#include "bench/barrier/barrier_asm.h"
#include "bench/barrier/race.h"

const char *const publish_writers[] = {
	"none", "mb", "wmb", "release", "releases", NULL
};
const char *const publish_readers[] = {
	"none", "ctrl", "rmb", "acquire", "full", NULL
};
const char *const publish_watches[] = { "flag", "initialised", NULL };

const char *publish_litmus(enum publish_writer w, enum publish_reader r,
			   enum publish_watch watch)
{
	/* the barriers before the flag, and those before is_initialised */
	static const char *const before[NR_WRITERS][NR_WATCHES] = {
		[WRITER_NONE] = { "po", "po" },
		[WRITER_MB] = { "mb", "po" },
		[WRITER_WMB] = { "wmb", "wmb" },
		[WRITER_RELEASE] = { "po", "rel" },
		[WRITER_RELEASES] = { "rel", "rel" },
	};
	static const char *const behind[NR_READERS] = {
		"po", "ctrl", "rmb", "acq", "mb"
	};
	static __thread char name[32];

	if (!strcmp(before[w][watch], "po") && r == READER_NONE)
		return "MP";
	snprintf(name, sizeof(name), "MP+%s+%s", before[w][watch], behind[r]);
	return name;
}

#define always_inline	inline __attribute__((always_inline))

/* @w is a constant, so the code of other variants is removed. */
static always_inline uint64_t publish(const struct publish_slot *s,
				      unsigned int words, uint64_t n,
				      enum publish_writer w, bool stamp,
				      enum publish_watch watch)
{
	uint64_t at = 0;
	unsigned int i;

	for (i = 0; i < words; i++)
		plain_store(&s->words[i], n);
	if (w == WRITER_WMB)
		smp_wmb();
	if (stamp && watch == WATCH_INITIALISED)
		at = clock_ticks();
	if (w == WRITER_RELEASE || w == WRITER_RELEASES)
		store_release(s->initialised, n);
	else
		plain_store(s->initialised, n);
	if (w == WRITER_MB)
		smp_mb();
	if (stamp && watch == WATCH_FLAG)
		at = clock_ticks();
	if (w == WRITER_RELEASES)
		store_release(s->flag, n);
	else
		plain_store(s->flag, n);
	return at;
}

static always_inline uint64_t test(const uint64_t *word, enum publish_reader r)
{
	return r == READER_ACQUIRE ? load_acquire(word) : plain_load(word);
}

static always_inline void order(enum publish_reader r)
{
	if (r == READER_RMB)
		smp_rmb();
	if (r == READER_FULL)
		smp_mb();
}

static always_inline void copy_words(const struct publish_slot *s,
				     unsigned int words, uint64_t *copy)
{
	unsigned int i;

	for (i = 0; i < words; i++)
		copy[i] = plain_load(&s->words[i]);
}

static always_inline const uint64_t *watched(const struct publish_slot *s,
					     enum publish_watch watch)
{
	return watch == WATCH_FLAG ? s->flag : s->initialised;
}

static always_inline void observe(const struct publish_slot *s,
				  unsigned int words, uint64_t n,
				  enum publish_watch watch, uint64_t *copy,
				  struct publish_seen *t, enum publish_reader r)
{
	const uint64_t *word = watched(s, watch);
	unsigned int turns = 0;
	uint64_t seen;

	for (;;) {
		seen = test(word, r);
		/* without any dependency: read in either case */
		if (r == READER_NONE)
			copy_words(s, words, copy);
		if (seen == n)
			break;
		race_spin(&turns);
	}
	/* Don't order this read of the clock, which would help the variant. */
	if (t)
		t->seen = race_ticks();
	order(r);
	if (r != READER_NONE)
		copy_words(s, words, copy);
	if (t)
		t->usable = clock_ticks();
}

static always_inline uint64_t observe_loop(const struct publish_slot *s,
		unsigned int words, uint64_t n, uint64_t ops,
		enum publish_watch watch, enum publish_reader r)
{
	uint64_t sum = 0, end = n + ops;
	unsigned int i;

	for (; n != end; n++) {
		const struct publish_slot *slot = &s[n % PUBLISH_SLOTS];

		if (test(watched(slot, watch), r) != n)
			continue;
		order(r);
		for (i = 0; i < words; i++)
			sum += plain_load(&slot->words[i]);
	}
	return sum;
}

#define ALIGNED		__attribute__((noinline, aligned(64)))

#define WRITER(NAME, W)							\
	static void publish_##NAME(const struct publish_slot *s,	\
				   unsigned int words, uint64_t n)	\
	{								\
		publish(s, words, n, W, false, WATCH_FLAG);		\
	}								\
	static uint64_t publish_stamp_##NAME(const struct publish_slot *s, \
			unsigned int words, uint64_t n,			\
			enum publish_watch watch)			\
	{								\
		return publish(s, words, n, W, true, watch);		\
	}								\
	static ALIGNED void publish_loop_##NAME(			\
			const struct publish_slot *s,			\
			unsigned int words, uint64_t n, uint64_t ops)	\
	{								\
		uint64_t end = n + ops;					\
									\
		asm volatile("/* " #NAME " */");			\
		for (; n != end; n++)					\
			publish(&s[n % PUBLISH_SLOTS], words, n, W,	\
				false, WATCH_FLAG);			\
	}

#define READER(NAME, R)							\
	static void observe_##NAME(const struct publish_slot *s,	\
			unsigned int words, uint64_t n,			\
			enum publish_watch watch, uint64_t *copy,	\
			struct publish_seen *t)				\
	{								\
		if (t)							\
			observe(s, words, n, watch, copy, t, R);	\
		else							\
			observe(s, words, n, watch, copy, NULL, R);	\
	}								\
	static ALIGNED uint64_t observe_loop_##NAME(			\
			const struct publish_slot *s,			\
			unsigned int words, uint64_t n, uint64_t ops,	\
			enum publish_watch watch)			\
	{								\
		asm volatile("/* " #NAME " */");			\
		return observe_loop(s, words, n, ops, watch, R);	\
	}

WRITER(none, WRITER_NONE)
WRITER(again, WRITER_NONE)
WRITER(mb, WRITER_MB)
WRITER(wmb, WRITER_WMB)
WRITER(release, WRITER_RELEASE)
WRITER(releases, WRITER_RELEASES)
READER(none, READER_NONE)
READER(ctrl, READER_CTRL)
READER(again, READER_CTRL)
READER(rmb, READER_RMB)
READER(acquire, READER_ACQUIRE)
READER(full, READER_FULL)

#define PUBLISH_SIDE(NAME) \
	{ publish_##NAME, publish_stamp_##NAME, publish_loop_##NAME }
#define OBSERVE_SIDE(NAME) \
	{ observe_##NAME, observe_loop_##NAME }

const struct publish_side publish_sides[NR_WRITERS] = {
	PUBLISH_SIDE(none), PUBLISH_SIDE(mb), PUBLISH_SIDE(wmb),
	PUBLISH_SIDE(release), PUBLISH_SIDE(releases),
};

const struct observe_side observe_sides[NR_READERS] = {
	OBSERVE_SIDE(none), OBSERVE_SIDE(ctrl), OBSERVE_SIDE(rmb),
	OBSERVE_SIDE(acquire), OBSERVE_SIDE(full),
};

const struct publish_side publish_copy = PUBLISH_SIDE(again);
const struct observe_side observe_copy = OBSERVE_SIDE(again);
