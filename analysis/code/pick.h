/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Picks the points that measure the difference of two kernels, and prints a job
 * for them, from the atlas of the older kernel. Works for any patch.
 */
#ifndef PTELAB_CODE_PICK_H
#define PTELAB_CODE_PICK_H

#include "analysis/code/atlas.h"
#include "analysis/code/match.h"

#define PICK_BUDGET	32	/* points by default */
#define PICK_CONTROLS	6

enum why_picked {
	WHY_COVER,	/* runs blocks that no earlier point runs */
	WHY_BENCH,	/* the first of its benchmark */
	WHY_KIND,	/* differs from earlier ones more than neighbours do */
	WHY_NEIGHBOUR,	/* differs from one of these in one parameter */
	WHY_CONTROL,	/* runs none of it */
};

struct pick {
	size_t point;
	enum why_picked why;
	size_t of;		/* WHY_NEIGHBOUR: index of the other one */
	const char *param;	/* the parameter */
};

/*
 * @runs: for each point of @a a bitmap of the @nr_blocks changed blocks.
 * Together, the WHY_COVER points run every block that any point runs, if
 * @budget allows. @set_up: for each point, whether only its set-up runs its
 * blocks. Then any of its parameters may matter, so all points that differ in
 * one of them are neighbours. NULL: for no point. Returns the number of picked
 * points, which *@out gets; the caller frees it.
 */
size_t pick_points(const struct atlas *a, uint64_t *const *runs,
		   const bool *set_up, size_t nr_blocks, size_t budget,
		   struct pick **out);

/*
 * Prints the job, with comments on the purpose of each point; without a command
 * if nothing differs. @a: the atlas of m's base; may be NULL if nothing
 * differs. @is_default: returns whether a value is the default of a benchmark's
 * parameter, which is then not printed.
 */
void pick_job(const struct atlas *a, const struct match *m, size_t budget,
		bool (*is_default)(const char *bench, const char *param,
				   const char *value), FILE *f);

#endif
