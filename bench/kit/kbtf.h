/* SPDX-License-Identifier: GPL-2.0 */
/* Looks up values and features of the running kernel by name, in its BTF. */
#ifndef PTELAB_KBTF_H
#define PTELAB_KBTF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Gets the value of an enumerator. Returns 0, -ENOENT if the kernel has none of
 * that name, or -errno (no BTF, or unknown BTF).
 */
int kbtf_enum(const char *name, int64_t *value);
/* Returns 1 if a type, member or enumerator has the name, 0, or -errno. */
int kbtf_has(const char *name);

/* The same for BTF in memory; pure. */
int kbtf_enum_in(const void *btf, size_t len, const char *name, int64_t *value);
int kbtf_has_in(const void *btf, size_t len, const char *name);

#endif
