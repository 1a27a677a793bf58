/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernels that ptelab changes compares. Each is a vmlinux, a kernel's
 * folder in the cache, a tree in which it was built, or a run, whose
 * manifest.json names its kernel in the cache.
 */
#ifndef PTELAB_CODE_SUBJECT_H
#define PTELAB_CODE_SUBJECT_H

#include <jansson.h>
#include <stddef.h>

struct subject {
	char *vmlinux;
	char *folder;		/* folder of the vmlinux */
	json_t *kernel;		/* its manifest, or NULL */
	char *run;		/* folder of boot files, or NULL */
	json_t *manifest;	/* the run's, or NULL */
};

/*
 * Finds the kernels of one or two arguments @path: BASE and NEW, or a folder of
 * make ab. Returns 0, or -errno with fail() text. Call subject_free() in either
 * case.
 */
int subjects_of(const char *const path[], size_t nr, struct subject s[2]);
void subject_free(struct subject *s);

/*
 * Returns a path in ~/.cache/ptelab, or in the folder that PTELAB_CACHE or
 * XDG_CACHE_HOME gives. The caller frees.
 */
char *cache_path(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Returns the patch files of the second kernel that the first one does not
 * have, a new array that the caller frees with its texts. Finds them by their
 * SHA-256 in the run, or where make ab was run. @missing: number of files that
 * were not found.
 */
char **subject_patches(const struct subject s[2], size_t *nr, size_t *missing);

#endif
