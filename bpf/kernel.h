/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The running kernel's functions, their arguments, enumerators, and addresses of
 * symbols. Everything is looked up by name, and read once, at first use.
 */
#ifndef PTELAB_BPF_KERNEL_H
#define PTELAB_BPF_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

struct kernel_function {
	bool known;		/* BTF describes it, so nargs is right */
	unsigned int nargs;
	bool returns_struct;	/* BPF trampolines refuse it */
};

struct kernel_symbol {
	uint64_t start, end;	/* end: where the next symbol starts */
};

/* Returns NULL, or why there is no BTF, without which no BPF program loads. */
const char *kernel_no_btf(void);
/* Returns false if the kernel does not seem to have the function. */
bool kernel_has_function(const char *name, struct kernel_function *f);
/*
 * Returns a copy of the function that the compiler made for some of its callers,
 * such as "f.constprop.0". A probe on the function does not see their calls. NULL if
 * there is none, or if it can't be found.
 */
const char *kernel_function_clone(const char *name);
/* Returns whether the function has an argument of that name, by BTF. */
bool kernel_has_argument(const char *function, const char *argument);
/* "enum:ENUMERATOR"; false if this kernel has no such enumerator. */
bool kernel_enumerator(const char *path, uint64_t *value);
/*
 * Addresses of a function. Returns 0, -ENOENT if there is none, -EPERM if
 * addresses are hidden from this user, or another -errno.
 */
int kernel_symbol_find(const char *name, struct kernel_symbol *sym);
/* Returns why this kernel has no kprobes for perf and BPF; NULL if it has. */
const char *kernel_no_kprobes(void);
/*
 * Returns why fentry programs would attach but never run; NULL if they run.
 */
const char *kernel_no_fentry(void);
/*
 * Describes which kinds of BPF programs this kernel loads for this user, and why it
 * rejects others. Loads a minimal program of each kind to find out. @all: whether it
 * loads them all.
 */
const char *kernel_programs(bool *all);

#endif
