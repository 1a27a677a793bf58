/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Brings what the emulator's counting plugin saw into a boot's results: the
 * points get the counts as metrics, and a file beside the boot's keeps which
 * instruction ran how often in which calling context, for ptelab explain.
 * Both formats are described in runs/README.md.
 */
#ifndef PTELAB_MERGE_H
#define PTELAB_MERGE_H

#include <stddef.h>
#include <stdint.h>

#include "analysis/code/regions.h"
#include "lib/symbols.h"

/*
 * Writes @out, the lines of @in with the counts, and OUT without .jsonl +
 * INSNS_SUFFIX. @in may hold the results of several commands, one after the
 * other, as a boot leaves them; each keeps its own footer. Neither output may
 * exist. 0 or -errno with fail() text; then there is no output.
 */
int merge_counts(const char *in, const struct regions *r, struct symbols *sym,
		 const char *out);

#endif
