/* SPDX-License-Identifier: GPL-2.0 */
/* Made-up sides in memory, for tests that compare many of them. */
#ifndef PTELAB_MADE_SIDE_H
#define PTELAB_MADE_SIDE_H

#include <math.h>

#include "analysis/load/load.h"
#include "lib/util.h"

/* @boots values of each row, row by row; a boot is a file with one batch. */
struct made {
	const char *name, *mode, *metric;
	size_t rows, boots;
	const double *v;
	const double *started;	/* of each boot; NULL: not known */
};

static inline json_t *made_point(const struct made *m, size_t row, size_t boot)
{
	double v = m->v[row * m->boots + boot];

	return json_pack("{s:s, s:{s:i}, s:s, s:i, s:{s:[f]}, s:{s:{s:f, s:f, s:i}}}",
			 "bench", "made.up", "params", "row", (int)row,
			 "status", "ok", "operations", 1, "batches", m->metric,
			 v, "counters", m->metric, "per_op", v, "total", v,
			 "operations", 1);
}

static inline json_t *made_header(const struct made *m, size_t boot)
{
	bool timed = !strcmp(m->mode, "timed");
	char *id = xasprintf("%s-%zu", m->name, boot);
	json_t *h = json_pack("{s:s, s:i, s:{s:s, s:s, s:b}}", "boot_id", id,
			      "seed", (int)boot, "machine", "mode", m->mode,
			      "clock", timed ? "real" : "emulated", "icount",
			      !strcmp(m->mode, "exact"));

	if (m->started)
		json_object_set_new(h, "started", json_real(m->started[boot]));
	free(id);
	return h;
}

/* Free with side_free(). */
static inline struct side *made_side(const struct made *m)
{
	struct run *run = xcalloc(1, sizeof(*run));
	size_t boot, row;

	run->path = xstrdup(m->name);
	run->nr_files = m->boots;
	run->files = xcalloc(m->boots, sizeof(*run->files));
	for (boot = 0; boot < m->boots; boot++) {
		struct run_file *f = xcalloc(1, sizeof(*f));

		f->path = xasprintf("%s/boot-%03zu.jsonl", m->name, boot);
		f->header = made_header(m, boot);
		f->complete = true;
		f->nr_points = m->rows;
		f->points = xcalloc(m->rows, sizeof(*f->points));
		for (row = 0; row < m->rows; row++)
			f->points[row] = made_point(m, row, boot);
		run->files[boot] = f;
	}
	return side_of_run(run, NULL);
}

#endif
