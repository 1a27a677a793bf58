/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the running kernel's BTF says about itself: the way to learn a value
 * or a feature by its name rather than by the kernel's version.
 */
#ifndef PTELAB_KBTF_H
#define PTELAB_KBTF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The value of an enumerator. Returns 0, -ENOENT if the kernel has none of
 * that name, or -errno (no BTF, or one that can't be understood).
 */
int kbtf_enum(const char *name, int64_t *value);
/* 1 if some type, member or enumerator has that name, 0 if none, -errno. */
int kbtf_has(const char *name);

/* The same on BTF in memory; pure. */
int kbtf_enum_in(const void *btf, size_t len, const char *name, int64_t *value);
int kbtf_has_in(const void *btf, size_t len, const char *name);

#endif
