/* SPDX-License-Identifier: GPL-2.0 */
/* The plugin cannot return an error to QEMU, so without memory it aborts. */
#ifndef PTELAB_EMU_NEED_H
#define PTELAB_EMU_NEED_H

#include <stdio.h>
#include <stdlib.h>

static inline void *need(void *p)
{
	if (!p) {
		fputs("ptelab plugin: out of memory\n", stderr);
		abort();
	}
	return p;
}

#endif
