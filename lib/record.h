/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Run files: writing and reading boot-NNN.jsonl. The format is described for
 * its readers in runs/README.md; this is the only code that knows it.
 *
 * A file is a header line, one line a point, and a footer line with the
 * number of points and a checksum (SHA-256 of every byte before the footer).
 * Each line is written by one write(2) and synced, so that a crash, a full
 * disk or a signal loses at most the line under way. A file is never
 * rewritten.
 */
#ifndef PTELAB_RECORD_H
#define PTELAB_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/batches.h"

#define RUN_SCHEMA	"ptelab-run-1"

struct run_writer;

/*
 * Starts a boot file. With "started" in the header, the footer says how many
 * seconds it took. @where: "-" for standard output, a name that ends in
 * .jsonl, or a folder (made if need be) in which the next free boot-NNN.jsonl
 * is taken. An existing file is never touched (-EEXIST).
 * @header: borrowed; "schema" and "type" are added by the writer.
 * Returns NULL with fail() text.
 */
struct run_writer *run_writer_open(const char *where, json_t *header);
/* The file's name, "-" for standard output. */
const char *run_writer_path(const struct run_writer *w);
/* Writes one point and syncs it. @point is borrowed. 0 or -errno. */
int run_writer_point(struct run_writer *w, json_t *point);
/*
 * Writes the footer, unless @complete is false (the run was cut short: the
 * file then has no footer, as after a crash), and frees @w.
 */
int run_writer_close(struct run_writer *w, bool complete);

/* One boot file in memory. */
struct run_file {
	char *path;
	json_t *header;
	json_t **points;
	size_t nr_points;
	/* Lists of batches that are too long for JSON; see run_file_batches(). */
	struct batch_list **lists;
	size_t nr_lists;
	bool complete;		/* has a footer that agrees with the content */
	double seconds;		/* that it took to measure; NAN: not known */
	char *incomplete;	/* why not, one line; NULL if complete */
};

/*
 * Reads one boot file. A file cut short (no footer, last line torn) loads up
 * to there with complete = false. What is not a run file at all, is of another
 * schema, or contradicts its own checksum is refused: NULL with fail() text.
 */
struct run_file *run_file_load(const char *path);
void run_file_free(struct run_file *f);

/*
 * The batches of a metric of one of the file's points, where there are
 * BATCHES_MIN or more of them: then its place in "batches" has no array. NULL
 * if there is none, or an array.
 */
const struct batch_list *run_file_batches(const struct run_file *f,
					  const json_t *point,
					  const char *metric);

/* A run: one boot file, or all boot-*.jsonl of a folder, by name. */
struct run {
	char *path;
	struct run_file **files;
	size_t nr_files;
};

struct run *run_load(const char *path);
void run_free(struct run *r);

/* A parameter's value as text, "64k" or "16". The caller frees. */
char *param_value_text(const json_t *value);

#endif
