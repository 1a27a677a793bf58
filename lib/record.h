/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writes and reads run files, boot-NNN.jsonl. runs/README.md documents the format;
 * no other code knows it.
 *
 * A file is a header line, one line per point, and a footer line with the number of
 * points and a checksum (SHA-256 of every byte before the footer). Each line is
 * written by one write(2) and synced, so a crash, a full disk or a signal loses at
 * most the current line. A file is never rewritten.
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
 * Starts a boot file. If the header has "started", the footer gets the duration in
 * seconds. @where: "-" for standard output, a name that ends in .jsonl, or a folder
 * (created if needed) in which the next free boot-NNN.jsonl is used. Existing files
 * are never overwritten (-EEXIST).
 * @header: borrowed; "schema" and "type" are added by the writer.
 * Returns NULL with fail() text.
 */
struct run_writer *run_writer_open(const char *where, json_t *header);
/* Returns the file's name, "-" for standard output. Borrowed. */
const char *run_writer_path(const struct run_writer *w);
/* Writes one point and syncs it. @point is borrowed. Returns 0 or -errno. */
int run_writer_point(struct run_writer *w, json_t *point);
/*
 * Frees @w, and writes the footer if @complete. An interrupted run has no
 * footer, as after a crash. Returns 0 or -errno.
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
	bool complete;		/* has a footer that matches the content */
	double seconds;		/* duration of the run; NAN if unknown */
	char *incomplete;	/* why not, one line; NULL if complete */
};

/*
 * Reads one boot file. A file that was cut short (no footer, or a partial last line)
 * is read up to there, with complete = false. Returns NULL with fail() text if it is
 * not a run file, has another schema, or does not match its checksum.
 */
struct run_file *run_file_load(const char *path);
void run_file_free(struct run_file *f);

/*
 * Returns the batches of a metric of a point, if there are at least BATCHES_MIN of
 * them; "batches" of the point then has no array for it. Otherwise NULL.
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

/* Returns a parameter's value as text, "64k" or "16". The caller frees. */
char *param_value_text(const json_t *value);

#endif
