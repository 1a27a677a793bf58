/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which points measure what differs between two kernels: a job for any patch,
 * by the atlas of the older kernel.
 */
#ifndef PTELAB_CODE_PICK_H
#define PTELAB_CODE_PICK_H

#include "analysis/code/atlas.h"
#include "analysis/code/match.h"

#define PICK_BUDGET	32	/* points, unless told otherwise */
#define PICK_CONTROLS	6

enum why_picked {
	WHY_COVER,	/* runs blocks that no point before it does */
	WHY_BENCH,	/* of a benchmark that none before it is of */
	WHY_KIND,	/* differs from all before in more than neighbours do */
	WHY_NEIGHBOUR,	/* differs in one parameter from one of these */
	WHY_CONTROL,	/* runs none of it */
};

struct pick {
	size_t point;
	enum why_picked why;
	size_t of;		/* WHY_NEIGHBOUR: index of the other one */
	const char *param;	/* that they differ in */
};

/*
 * @runs: a bit for each of @nr_blocks changed blocks, for each point of @a.
 * Together those chosen with WHY_COVER run every block that any point runs, if
 * @budget allows. @set_up: by point, whether it runs its blocks in its set-up
 * alone; then each of its parameters may decide what comes of that, so points
 * that differ in any one of them are neighbours. NULL: none does. Returns how
 * many there are in *@out, which the caller frees.
 */
size_t pick_points(const struct atlas *a, uint64_t *const *runs,
		   const bool *set_up, size_t nr_blocks, size_t budget,
		   struct pick **out);

/*
 * Prints the job, whose comments say what each point is for; without a command
 * if nothing differs. @a: of m's base; may be NULL if nothing differs.
 * @is_default: whether a benchmark's parameter has that value unless told
 * otherwise: it is not printed then.
 */
void pick_job(const struct atlas *a, const struct match *m, size_t budget,
		bool (*is_default)(const char *bench, const char *param,
				   const char *value), FILE *f);

#endif
