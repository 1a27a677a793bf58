// SPDX-License-Identifier: GPL-2.0
/*
 * Functions that read one entry of a block and then the block, and start again
 * when the block is not consistent: the shapes that such a function can take.
 * Compiled by several compilers with several options, each with its own
 * VARIANT, they are what the retry-site finder is tested on: its sites must be
 * hit exactly as often as a try is made to fail (retry_step.c).
 *
 * Nothing here is the kernel's code; only the shape is.
 */
typedef unsigned long u64;

#define ENTRIES		16
#define VALID		(1UL << 0)
#define CONT		(1UL << 52)
#define DIRTY		(1UL << 55)
#define YOUNG		(1UL << 10)
#define FRAME		(((1UL << 48) - 1) & ~0xfffUL)
#define FRAME_OF(e)	(((e) & FRAME) >> 12)
#define KIND_OF(e)	((e) & ~(FRAME | DIRTY | YOUNG))
#define BLOCK(p)	((u64 *)((u64)(p) & ~(ENTRIES * 8UL - 1)))
#define READ(p)		(*(const volatile u64 *)(p))

#define PASTE2(a, b)	a##__##b
#define PASTE(a, b)	PASTE2(a, b)
#define SHAPE(name)	u64 PASTE(name, VARIANT)(u64 *at); \
			u64 PASTE(name, VARIANT)(u64 *at)

static inline int usable(u64 e)
{
	return (e & (VALID | CONT)) == (VALID | CONT);
}

static inline int fits(u64 e, u64 frame, u64 kind)
{
	return usable(e) && FRAME_OF(e) == frame && KIND_OF(e) == kind;
}

/* Gathers two bits over all entries. */
SHAPE(gather_all)
{
	u64 first, frame, kind, e, *p;
	int i;

again:
	first = READ(at);
	if (!usable(first))
		return first;
	kind = KIND_OF(first);
	p = BLOCK(at);
	frame = FRAME_OF(first) - (at - p);
	for (i = 0; i < ENTRIES; i++, p++, frame++) {
		e = READ(p);
		if (!fits(e, frame, kind))
			goto again;
		first |= e & (DIRTY | YOUNG);
	}
	return first;
}

/* As above, with a decision for each bit. */
SHAPE(gather_branches)
{
	u64 first, frame, kind, e, *p;
	int i;

again:
	first = READ(at);
	if (!usable(first))
		return first;
	kind = KIND_OF(first);
	p = BLOCK(at);
	frame = FRAME_OF(first) - (at - p);
	for (i = 0; i < ENTRIES; i++, p++, frame++) {
		e = READ(p);
		if (!usable(e) || FRAME_OF(e) != frame || KIND_OF(e) != kind)
			goto again;
		if ((e & DIRTY) && !(e & (1UL << 51)))
			first = (first | DIRTY) & ~(1UL << 7);
		if (e & YOUNG)
			first |= YOUNG;
	}
	return first;
}

/* Stops looking for a bit once it has been seen, and at both. */
SHAPE(gather_early)
{
	u64 first, frame, kind, e, *p;
	int i;

again:
	first = READ(at);
	if (!usable(first))
		return first;
	kind = KIND_OF(first);
	p = BLOCK(at);
	frame = FRAME_OF(first) - (at - p);
	for (i = 0; i < ENTRIES; i++, p++, frame++) {
		e = READ(p);
		if (!fits(e, frame, kind))
			goto again;
		if (e & DIRTY) {
			first |= DIRTY;
			for (; i < ENTRIES; i++, p++, frame++) {
				e = READ(p);
				if (!fits(e, frame, kind))
					goto again;
				if (e & YOUNG) {
					first |= YOUNG;
					break;
				}
			}
			break;
		}
		if (e & YOUNG) {
			first |= YOUNG;
			i++, p++, frame++;
			for (; i < ENTRIES; i++, p++, frame++) {
				e = READ(p);
				if (!fits(e, frame, kind))
					goto again;
				if (e & DIRTY) {
					first |= DIRTY;
					break;
				}
			}
			break;
		}
	}
	return first;
}

/* The same as a loop that is left in its middle. */
SHAPE(loop)
{
	for (;;) {
		u64 first = READ(at), sum = first, e;
		u64 *p = BLOCK(at);
		int i;

		if (!usable(first))
			return first;
		for (i = 0; i < ENTRIES; i++) {
			e = READ(&p[i]);
			if (!usable(e) || KIND_OF(e) != KIND_OF(first))
				break;
			sum |= e & (DIRTY | YOUNG);
		}
		if (i == ENTRIES)
			return sum;
	}
}

/* Reads the entry once more at the end, and starts again if it changed. */
SHAPE(recheck)
{
	u64 first, sum, e, *p;
	int i;

	do {
		first = sum = READ(at);
		if (!usable(first))
			return first;
		p = BLOCK(at);
		for (i = 0; i < ENTRIES; i++) {
			e = READ(&p[i]);
			sum |= e & (DIRTY | YOUNG);
		}
	} while ((READ(at) & ~(DIRTY | YOUNG)) != (first & ~(DIRTY | YOUNG)));
	return sum;
}

/* Reads the entry once more at the end, only to tell what it is by then. */
SHAPE(recheck_once)
{
	u64 first, kind, e, *p;
	int i;

again:
	first = READ(at);
	if (!usable(first))
		return first;
	kind = KIND_OF(first);
	p = BLOCK(at);
	for (i = 0; i < ENTRIES; i++) {
		e = READ(&p[i]);
		if (!usable(e) || KIND_OF(e) != kind)
			goto again;
		first |= e & (DIRTY | YOUNG);
	}
	return (READ(at) & ~(DIRTY | YOUNG)) | (first & (DIRTY | YOUNG));
}

/* Counts down what it will bear; the last try gives up. */
SHAPE(bounded)
{
	u64 first = 0, kind, e, *p = BLOCK(at);
	int tries, i;

	for (tries = 0; tries < 8; tries++) {
		first = READ(at);
		if (!usable(first))
			return first;
		kind = KIND_OF(first);
		for (i = 0; i < ENTRIES; i++) {
			e = READ(&p[i]);
			if (!usable(e) || KIND_OF(e) != kind)
				break;
			first |= e & (DIRTY | YOUNG);
		}
		if (i == ENTRIES)
			return first;
	}
	return first;
}

/* Somebody is told of each failure: a call, and registers to be saved. */
__attribute__((noinline)) static void told(u64 what)
{
	__asm__ volatile("" : : "r"(what) : "memory");
}

SHAPE(tells)
{
	u64 first, frame, kind, e, *p;
	int i, failures = 0;

again:
	first = READ(at);
	if (!usable(first))
		return first;
	kind = KIND_OF(first);
	p = BLOCK(at);
	frame = FRAME_OF(first) - (at - p);
	for (i = 0; i < ENTRIES; i++, p++, frame++) {
		e = READ(p);
		if (!fits(e, frame, kind)) {
			told(e);
			failures++;
			goto again;
		}
		first |= e & (DIRTY | YOUNG);
	}
	told(failures);
	return first;
}

/* More is alive than there are registers: the argument lives on the stack. */
SHAPE(spills)
{
	u64 first, frame, kind, e, *p;
	int i;

again:
	first = READ(at);
	if (!usable(first))
		return first;
	kind = KIND_OF(first);
	p = BLOCK(at);
	frame = FRAME_OF(first) - (at - p);
	for (i = 0; i < ENTRIES; i++, p++, frame++) {
		e = READ(p);
		__asm__ volatile("" : : : "x0", "x1", "x2", "x3", "x4", "x5",
				 "x6", "x7", "x8", "x9", "x10", "x11", "x12",
				 "x13", "x14", "x15", "x16", "x17", "x19",
				 "x20", "x21", "x22", "x23", "x24", "x25",
				 "x26", "x27", "x28");
		if (!fits(e, frame, kind))
			goto again;
		first |= e & (DIRTY | YOUNG);
	}
	return first;
}

/* Something global decides how: a read that is not of the block. */
u64 PASTE(shape_mask, VARIANT) = DIRTY | YOUNG;

SHAPE(global)
{
	u64 first, kind, e, *p;
	int i;

again:
	first = READ(at);
	if (!usable(first))
		return first;
	kind = KIND_OF(first);
	p = BLOCK(at);
	for (i = 0; i < ENTRIES; i++) {
		e = READ(&p[i]);
		if (!usable(e) || KIND_OF(e) != kind)
			goto again;
		first |= e & PASTE(shape_mask, VARIANT);
	}
	return first;
}

/* Never starts again: nothing to find. */
SHAPE(once)
{
	u64 first = READ(at), e, *p = BLOCK(at);
	int i;

	if (!usable(first))
		return first;
	for (i = 0; i < ENTRIES; i++) {
		e = READ(&p[i]);
		first |= e & (DIRTY | YOUNG);
	}
	return first;
}

/* Reads nothing but the entry. */
SHAPE(plain)
{
	return READ(at);
}
