/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Merges the output of the emulator's counting plugin into a boot's results.
 * Points get the counts as metrics, and a file beside the boot file has how
 * often each instruction ran in which calling context, for ptelab explain.
 * runs/README.md describes both formats.
 */
#ifndef PTELAB_MERGE_H
#define PTELAB_MERGE_H

#include <stddef.h>
#include <stdint.h>

#include "analysis/code/regions.h"
#include "lib/symbols.h"

/*
 * Writes @out, the lines of @in with the counts, and OUT without .jsonl +
 * INSNS_SUFFIX. @in may contain the results of several commands one after the
 * other, as a boot writes them; each keeps its own footer. Neither output may
 * exist. Returns 0, or -errno with fail() text and without output.
 */
int merge_counts(const char *in, const struct regions *r, struct symbols *sym,
		 const char *out);

#endif
