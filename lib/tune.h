/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Settings of a host that make timings noisy or biased: where each is, what it
 * ought to hold while measuring, and what it does otherwise. ptelab doctor
 * tells of them, ptelab run --tune sets them and puts them back.
 */
#ifndef PTELAB_TUNE_H
#define PTELAB_TUNE_H

#include <stdbool.h>
#include <stddef.h>

struct tune_knob {
	const char *name;
	const char *path;	/* glob, from the root of the file system */
	const char *want;
	const char *applies;	/* the file to write "off" to, if another */
	const char *does;	/* what it does to a measurement */
};

extern const struct tune_knob tune_knobs[];
extern const size_t tune_knobs_nr;

/* One knob as it is on this machine. */
struct tune_state {
	size_t files;		/* that can be read; 0: no such knob here */
	size_t off;		/* of them, those that do not hold @want */
	char *value;		/* of the first that is off, or of the first */
	char *command;		/* shell command that sets them; NULL if none is off */
};

/*
 * @root: "" for this machine's /proc and /sys, a folder for tests. Free with
 * tune_state_free().
 */
struct tune_state tune_look(const struct tune_knob *k, const char *root);
void tune_state_free(struct tune_state *s);

/*
 * Sets every knob that is off, through the restore journal, which must be
 * open. What can't be set is told by warn() and left. *set: how many files
 * were changed. Returns 0, or -errno with fail() text if nothing that ought to
 * be set could be.
 */
int tune_apply(const char *root, size_t *set);

#endif
