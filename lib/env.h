/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The environment of a run: the machine, the kernel, and every setting that is
 * known to affect figures. compare refuses runs whose environments differ.
 */
#ifndef PTELAB_ENV_H
#define PTELAB_ENV_H

#include <jansson.h>
#include <stdbool.h>

struct machine {
	enum { MACHINE_BARE, MACHINE_VIRTUAL, MACHINE_EMULATED } kind;
	/* The clock is the emulator's: never report it as time. */
	bool clock_emulated;
	/* Instruction counts are exact (QEMU TCG with icount). */
	bool icount;
	const char *mode;	/* "exact", "race", "timed" */
	char *detail;		/* hypervisor or emulator, if known */
};

/*
 * Returns the machine, detected once. The emulated machine of scripts/lab is
 * identified by the kernel's command line (ptelab.machine=tcg-icount or tcg),
 * others by the identification of CPU and hypervisor.
 */
const struct machine *machine_get(void);

/*
 * Returns the header of a run, without command, seed, metrics, absent and clock,
 * which the caller adds. A new reference. Unknown values are null or left out.
 */
json_t *env_header(void);
/*
 * Returns only the "environment" member: flat, name to string. A new reference.
 */
json_t *env_settings(void);

/*
 * Returns the build id of the running kernel in hex; NULL if it can't be read.
 * The caller frees.
 */
char *env_kernel_build_id(void);

#endif
