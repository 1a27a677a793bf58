/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a run was measured on: the machine, the kernel, and every setting that
 * is known to move figures (facts that compare refuses to compare across).
 */
#ifndef PTELAB_ENV_H
#define PTELAB_ENV_H

#include <jansson.h>
#include <stdbool.h>

struct machine {
	enum { MACHINE_BARE, MACHINE_VIRTUAL, MACHINE_EMULATED } kind;
	/* Time here is the emulator's: never reported as time. */
	bool clock_emulated;
	/* Instruction counts are exact (QEMU TCG with icount). */
	bool icount;
	const char *mode;	/* "exact", "race", "timed" */
	char *detail;		/* hypervisor or emulator as far as known */
};

/*
 * Found once and kept. The emulated machine of scripts/lab says what it is on
 * the kernel's command line (ptelab.machine=tcg-icount or tcg); elsewhere the
 * CPU's identification and the hypervisor's are looked at.
 */
const struct machine *machine_get(void);

/*
 * The header of a run: everything but command, seed, metrics, absent and
 * clock, which the caller adds. A new reference. What can't be read is null
 * or left out, never made up.
 */
json_t *env_header(void);
/* The "environment" member alone: flat, name to string. */
json_t *env_settings(void);

/* Hex build id of the running kernel, NULL if it can't be read; caller frees. */
char *env_kernel_build_id(void);

#endif
