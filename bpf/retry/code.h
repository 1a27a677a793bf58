/* SPDX-License-Identifier: GPL-2.0 */
/* Machine code of a kernel function, from the running kernel or from disk. */
#ifndef PTELAB_BPF_CODE_H
#define PTELAB_BPF_CODE_H

#include "bpf/retry/retry_sites.h"

/* Both return 0 or -errno with one line in @why. */
int code_running(const char *function, struct code *code, char why[200]);
int code_elf(const char *path, const char *function, struct code *code,
	     char why[200]);
void code_free(struct code *code);
/*
 * Returns whether a function of the running kernel calls another one, or jumps to
 * its start: 1, 0, or -errno if unknown.
 */
int code_calls(const char *caller, const char *callee);

#endif
