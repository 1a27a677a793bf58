/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What ptelab changes is asked about: a vmlinux, a kernel's folder in the
 * cache or a tree it was built in, or a run, whose manifest.json says which
 * kernel of the cache it measured.
 */
#ifndef PTELAB_CODE_SUBJECT_H
#define PTELAB_CODE_SUBJECT_H

#include <jansson.h>
#include <stddef.h>

struct subject {
	char *vmlinux;
	char *folder;		/* that it is in */
	json_t *kernel;		/* its manifest; NULL: it has none */
	char *run;		/* folder of boot files; NULL: no run */
	json_t *manifest;	/* the run's; NULL */
};

/*
 * The one or two arguments @path: BASE and NEW, or a folder that make ab left.
 * 0 or -errno with fail() text; subject_free() in either case.
 */
int subjects_of(const char *const path[], size_t nr, struct subject s[2]);
void subject_free(struct subject *s);

/* ~/.cache/ptelab/@part, by PTELAB_CACHE and XDG_CACHE_HOME. The caller
 * frees. */
char *cache_path(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * The patch files of the second kernel that the first one does not have, as far
 * as they are found in the run or beside where make ab was run, known by their
 * SHA-256: a new array of texts that the caller frees. @missing: how many were
 * not found.
 */
char **subject_patches(const struct subject s[2], size_t *nr, size_t *missing);

#endif
