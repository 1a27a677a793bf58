/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the running kernel consists of: its functions, their arguments, its
 * enumerators, its symbols' addresses. Everything is looked up by name, and
 * read once, when it is first asked for.
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

/* NULL, or why there is no BTF and so no BPF program can be loaded. */
const char *kernel_no_btf(void);
/* False if the kernel has no such function, as far as can be seen. */
bool kernel_has_function(const char *name, struct kernel_function *f);
/*
 * A copy of the function that the compiler made for some of its callers, such
 * as "f.constprop.0": a probe on the function does not see their calls. NULL if
 * there is none, or it can't be seen.
 */
const char *kernel_function_clone(const char *name);
/* Whether BTF says that the function has an argument of that name. */
bool kernel_has_argument(const char *function, const char *argument);
/* "enum:ENUMERATOR"; false if this kernel has no such enumerator. */
bool kernel_enumerator(const char *path, uint64_t *value);
/*
 * Addresses of a function. Returns 0, -ENOENT if there is none, -EPERM if
 * addresses are hidden from this user, or another -errno.
 */
int kernel_symbol_find(const char *name, struct kernel_symbol *sym);
/* Why this kernel has no kprobes for perf and BPF; NULL if it has. */
const char *kernel_no_kprobes(void);
/*
 * Why programs on the entry of functions would be attached, but never run; NULL
 * if they run where they can be attached.
 */
const char *kernel_no_fentry(void);
/*
 * Which kinds of BPF programs this kernel loads for this user, and why not the
 * others, in words; found by loading the smallest of each kind. @all: whether
 * it loads them all.
 */
const char *kernel_programs(bool *all);

#endif
