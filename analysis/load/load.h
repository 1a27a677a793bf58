/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A side of a comparison: one run, with its boot files sorted into boots and points.
 * Several files may belong to one boot (processes). A point is identified by its
 * machine mode, benchmark and parameters. It has one observation per file.
 */
#ifndef PTELAB_LOAD_H
#define PTELAB_LOAD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "analysis/load/select.h"
#include "lib/metric.h"
#include "lib/record.h"

/*
 * A boot in one mode, identified by boot_id. Each file without a boot_id is a
 * separate boot.
 */
struct boot {
	const char *id;		/* NULL if the file has none */
	const char *mode;
	const struct run_file *file;	/* the first of its files */
	size_t nr_files;
};

struct observation {
	const struct run_file *file;
	size_t boot;		/* index into side->boots */
	json_t *point;		/* borrowed from the file */
	bool ok;		/* status is "ok" */
};

struct side_point {
	char *key;		/* its identity; see point_key() */
	const char *mode;	/* exact, race, timed */
	const char *bench;
	json_t *params;		/* borrowed */
	struct observation *obs;
	size_t nr_obs;
};

struct side {
	struct run *run;
	char *label;		/* last part of the path, for columns */
	struct boot *boots;
	size_t nr_boots;
	struct side_point *points;	/* in the order of the files */
	size_t nr_points;
	char **notes;		/* to be printed, such as incomplete files */
	size_t nr_notes;
	json_t *index;		/* key -> number of the point */
};

/*
 * Loads a boot file or a folder of them, only with the points of @select. Returns
 * NULL with fail() text on failure.
 */
struct side *side_load(const char *path, const struct selection *select);
/* The same for a run in memory, which the side then owns. */
struct side *side_of_run(struct run *run, const struct selection *select);
void side_free(struct side *s);

/* Returns the point with this key; NULL if there is none. */
const struct side_point *side_find(const struct side *s, const char *key);

/* Returns the number of boots of a mode; NULL: of all modes. */
size_t side_boots(const struct side *s, const char *mode);

/* Looks up a metric in a file's header, or else in the table of this program. */
struct metric_facts {
	const char *unit;
	enum metric_kind kind;
	enum metric_better better;
};

struct metric_facts file_metric(const struct run_file *f, const char *name);

/* Returns the machine.mode of a file; "timed" if it has none. */
const char *file_mode(const struct run_file *f);
/* Returns whether instruction counts of this file are exact. */
bool file_icount(const struct run_file *f);
/* Returns whether the clock of this file's machine is emulated. */
bool file_clock_emulated(const struct run_file *f);
/* Returns the part of the path after the last slash. */
const char *file_name(const struct run_file *f);

/* Gets a metric's value per operation. Returns false if it has none. */
bool observation_value(const struct observation *o, const char *metric,
		       double *value);
/* Returns why a metric has no value; NULL if the file has no reason. */
const char *observation_absent(const struct observation *o,
			       const char *metric);
/* Returns why a point is not ok, or its status if it has no reason. */
const char *observation_reason(const struct observation *o);
const char *observation_status(const struct observation *o);

/* Returns a string of a JSON object; "" if there is none. Borrowed. */
const char *json_text(const json_t *o, const char *key);

#endif
