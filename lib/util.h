/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Small helpers that every part of ptelab uses: errors, strings, sizes, reading of
 * whole files. Nothing here knows about benchmarks or runs.
 *
 * Errors: a function that can fail calls fail() with one line for the user and
 * returns -errno (or NULL). The line says what to do. main() prints it once, as
 * "ptelab: LINE".
 */
#ifndef PTELAB_UTIL_H
#define PTELAB_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define __printf(f, a)	__attribute__((format(printf, f, a)))

#define KIB		1024UL
#define MIB		(1024UL * KIB)
#define GIB		(1024UL * MIB)

/* Exit codes, documented in ptelab(1). */
enum {
	EXIT_DONE	= 0,	/* success */
	EXIT_CONDITION	= 1,	/* the condition of --fail-on holds */
	EXIT_COULD_NOT	= 2,	/* failure; one line gives the reason */
};

/*
* fail() - set the error line, which says what is wrong and what to do
 * @err: positive errno
 * Returns -err, so that "return fail(EINVAL, ...)" reads naturally. Each thread
 * keeps its text until its next fail().
 */
int fail(int err, const char *fmt, ...) __printf(2, 3);
/* Like fail(), but returns NULL. */
void *fail_null(int err, const char *fmt, ...) __printf(2, 3);
/* Puts "WHAT: " before the current error line; returns @ret unchanged. */
int fail_prefix(int ret, const char *fmt, ...) __printf(2, 3);
/* Returns the text of the last fail() of this thread; "" if there was none. */
const char *fail_text(void);
/* Prints "ptelab: warning: ..." on stderr, at once. */
void warn(const char *fmt, ...) __printf(1, 2);

/* Allocations that do not fail: out of memory ends the program with status 2. */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
/* Makes room for one more element by doubling: v = grow(v, nr, sizeof(*v)). */
void *grow(void *v, size_t nr, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t len);
char *xasprintf(const char *fmt, ...) __printf(1, 2);
/* Appends to an allocated text, after @between unless it was empty. */
void append_text(char **text, const char *between, const char *fmt, ...)
	__printf(3, 4);

/*
 * Returns a copy that can't control a terminal: control characters, and bytes
 * that are not UTF-8 text, become question marks. fail() and warn() do the
 * same. The caller frees.
 */
char *clean_text(const char *text);
/*
 * Return the text as one word for a shell: always in quotes, and only if
 * needed. The caller frees.
 */
char *shell_quote(const char *text);
char *shell_word(const char *word);

/* Compares uint64_t for qsort() and bsearch(), ascending. */
int cmp_u64(const void *a, const void *b);

/*
 * Reads a whole regular file, /proc and sysfs files included, into a NUL-terminated
 * buffer that the caller frees. @len (may be NULL) gets the length without
 * the NUL. Returns NULL with errno set and fail() text, also for a file larger than
 * max_bytes().
 */
char *read_file(const char *path, size_t *len);
/*
 * The same for an open file, from its current position; @path is for the
 * message.
 */
char *read_fd(int fd, const char *path, size_t *len);
/*
 * Returns the most bytes that are read from a file, unpacked: 256 MB, or
 * PTELAB_MAX_MB.
 */
size_t max_bytes(void);
/* Returns -EFBIG with fail() text that says how to read more. */
int too_large(const char *path);
/* Like read_file(), without the trailing newline; the path is a format. */
char *read_line(const char *fmt, ...) __printf(1, 2);
/* Writes @value with one write(2), as sysfs requires. Returns 0 or -errno. */
int write_file(const char *path, const char *value);
/*
 * Closes a file that was written to. Returns 0, or -errno with fail() text if
 * some of it could not be written.
 */
int close_file(FILE *f, const char *path);
/* Returns whether the file can be opened for reading now. */
bool readable(const char *path);

/*
 * Parses "4k", "64K", "2m", "1g" or plain bytes. Returns 0 or -EINVAL.
 */
int parse_size(const char *text, uint64_t *bytes);
/* Formats @bytes in the shortest form for parse_size(): "64k", "2m", "17". */
const char *format_size(uint64_t bytes, char buf[24]);
/* Parses a whole number without suffix. Returns 0, -EINVAL or -ERANGE. */
int parse_u64(const char *text, uint64_t *value);

/*
 * Returns the name in @names nearest to @name by edit distance, or NULL if none is
 * near enough to be a likely typing error.
 */
const char *nearest_name(const char *name, const char *const *names, size_t nr);

/* mkdir -p. Returns 0 or -errno with fail() text. */
int make_dirs(const char *path);

/* Writes the SHA-256 of a buffer in hex to @hex, NUL-terminated. */
void sha256_hex(const void *data, size_t len, char hex[65]);

#endif
