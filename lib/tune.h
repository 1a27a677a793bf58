/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Settings of a host that make timings noisy or biased: where each is, the value
 * to measure with, and the effect of other values. ptelab doctor reports them,
 * ptelab run --tune sets and restores them.
 */
#ifndef PTELAB_TUNE_H
#define PTELAB_TUNE_H

#include <stdbool.h>
#include <stddef.h>

struct tune_knob {
	const char *name;
	const char *path;	/* glob, from the root of the file system */
	const char *want;
	const char *applies;	/* write "off" to this file instead, or NULL */
	const char *does;	/* its effect on a measurement */
};

extern const struct tune_knob tune_knobs[];
extern const size_t tune_knobs_nr;

/* The state of a knob on this machine. */
struct tune_state {
	size_t files;		/* readable files; 0: the machine has no such knob */
	size_t off;		/* files that do not read @want */
	char *value;		/* of the first file that is off, or of the first */
	char *command;		/* shell command that sets them; NULL if none is off */
};

/*
 * Reads a knob's state. @root: "" for this machine's /proc and /sys; tests pass
 * a folder. Free the result with tune_state_free().
 */
struct tune_state tune_look(const struct tune_knob *k, const char *root);
void tune_state_free(struct tune_state *s);

/*
 * Sets every knob that is off, through the restore journal, which must be open.
 * Prints a warning for each that can't be set. *set: number of changed files.
 * Returns 0, or -errno with fail() text if none of the knobs could be set.
 */
int tune_apply(const char *root, size_t *set);

#endif
