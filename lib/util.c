// SPDX-License-Identifier: GPL-2.0
/* See util.h. */
#include "lib/util.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static __thread char error_line[1024];

/*
 * Returns the length in bytes of the character at @s if it is valid UTF-8
 * beyond ASCII, and neither controls a terminal nor changes the direction of
 * the text that follows; else 0.
 */
static size_t letter_length(const char *s)
{
	static const uint32_t least[] = { [2] = 0xa0, 0x800, 0x10000 };
	unsigned char first = s[0];
	size_t i, len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	uint32_t c = first & (0x7f >> len);

	if (first < 0xc0 || first > 0xf4)
		return 0;
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ||
	    (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2060 && c <= 0x206f) || c == 0xfeff)
		return 0;
	return len;
}

/* Cleans a text in place, byte by byte; see clean_text(). */
static void clean(char *c)
{
	size_t len;

	for (; *c; c++) {
		len = letter_length(c);
		if (len)
			c += len - 1;
		else if (*c == '\t' || *c == '\n')
			*c = ' ';
		else if (*c < ' ' || *c > '~')
			*c = '?';
	}
}

int fail(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error_line, sizeof(error_line), fmt, ap);
	va_end(ap);
	clean(error_line);
	errno = err;
	return -err;
}

void *fail_null(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error_line, sizeof(error_line), fmt, ap);
	va_end(ap);
	clean(error_line);
	errno = err;
	return NULL;
}

int fail_prefix(int ret, const char *fmt, ...)
{
	char old[sizeof(error_line)];
	va_list ap;
	int n;

	memcpy(old, error_line, sizeof(old));
	va_start(ap, fmt);
	n = vsnprintf(error_line, sizeof(error_line), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(error_line))
		snprintf(error_line + n, sizeof(error_line) - n, ": %s", old);
	clean(error_line);
	return ret;
}

const char *fail_text(void)
{
	return error_line;
}

void warn(const char *fmt, ...)
{
	char text[sizeof(error_line)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	clean(text);
	fflush(stdout);
	fprintf(stderr, "ptelab: warning: %s\n", text);
}

static void *or_die(void *p)
{
	if (!p) {
		fputs("ptelab: out of memory\n", stderr);
		exit(EXIT_COULD_NOT);
	}
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	return or_die(calloc(n ? n : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t size)
{
	return or_die(realloc(p, size ? size : 1));
}

void *grow(void *v, size_t nr, size_t size)
{
	if (nr & (nr - 1))
		return v;
	return xrealloc(v, (nr ? 2 * nr : 1) * size);
}

char *xstrdup(const char *s)
{
	return or_die(strdup(s));
}

char *xstrndup(const char *s, size_t len)
{
	return or_die(strndup(s, len));
}

char *clean_text(const char *text)
{
	char *copy = xstrdup(text);

	clean(copy);
	return copy;
}

char *shell_quote(const char *text)
{
	char *quoted = xcalloc(4 * strlen(text) + 3, 1), *to = quoted;

	*to++ = '\'';
	for (; *text; text++)
		if (*text == '\'')
			to = stpcpy(to, "'\\''");
		else
			*to++ = *text;
	*to = '\'';
	return quoted;
}

char *shell_word(const char *word)
{
	const char *c = word;

	while (*c && (isalnum((unsigned char)*c) || strchr("-_./:=,+@%", *c)))
		c++;
	return *word && !*c ? xstrdup(word) : shell_quote(word);
}

int cmp_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return or_die(n < 0 ? NULL : s);
}

void append_text(char **text, const char *between, const char *fmt, ...)
{
	char *part = NULL, *both;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&part, fmt, ap);
	va_end(ap);
	or_die(n < 0 ? NULL : part);
	both = xasprintf("%s%s%s", *text, **text ? between : "", part);
	free(part);
	free(*text);
	*text = both;
}

size_t max_bytes(void)
{
	const char *text = getenv("PTELAB_MAX_MB");
	uint64_t mb;

	if (!text || parse_u64(text, &mb) || !mb || mb > SIZE_MAX / 2 / MIB)
		mb = 256;
	return mb * MIB;
}

int too_large(const char *path)
{
	return fail(EFBIG, "%s: larger than %zu MB; set PTELAB_MAX_MB to a larger number if that is right",
		    path, max_bytes() / MIB);
}

char *read_fd(int fd, const char *path, size_t *len)
{
	size_t size = 0, room = 4096, most = max_bytes();
	char *buf = xcalloc(1, room);
	ssize_t n;

	for (;;) {
		if (size > most) {
			free(buf);
			too_large(path);
			return NULL;
		}
		if (size + 1 == room) {
			room *= 2;
			buf = xrealloc(buf, room);
		}
		n = read(fd, buf + size, room - size - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			free(buf);
			return fail_null(errno, "%s: %s", path,
					 strerror(errno));
		}
		if (!n)
			break;
		size += n;
	}
	buf[size] = '\0';
	if (len)
		*len = size;
	return buf;
}

char *read_file(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), err;
	char *text = NULL;
	struct stat s;

	if (fd < 0)
		return fail_null(errno, "%s: %s", path, strerror(errno));
	/* a pipe may never end, and /dev/zero never does */
	if (!fstat(fd, &s) && S_ISDIR(s.st_mode))
		fail(EISDIR, "%s: %s", path, strerror(EISDIR));
	else if (!S_ISREG(s.st_mode))
		fail(EINVAL, "%s: not a regular file", path);
	else
		text = read_fd(fd, path, len);
	err = errno;
	close(fd);
	errno = err;
	return text;
}

char *read_line(const char *fmt, ...)
{
	char *path = NULL, *text;
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	if (vasprintf(&path, fmt, ap) < 0)
		path = NULL;
	va_end(ap);
	text = read_file(or_die(path), &n);
	free(path);
	while (text && n && isspace((unsigned char)text[n - 1]))
		text[--n] = '\0';
	return text;
}

int write_file(const char *path, const char *value)
{
	size_t len = strlen(value);
	ssize_t n;
	int fd;

	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return fail(errno, "%s: %s", path, strerror(errno));
	n = write(fd, value, len);
	if (n != (ssize_t)len) {
		int err = n < 0 ? errno : EIO;

		close(fd);
		return fail(err, "%s: can't write '%s': %s", path, value,
			    strerror(err));
	}
	if (close(fd))
		return fail(errno, "%s: %s", path, strerror(errno));
	return 0;
}

int close_file(FILE *f, const char *path)
{
	int err = ferror(f) ? EIO : 0;

	if (fflush(f))
		err = errno;
	if (fclose(f) && !err)
		err = errno;
	return err ? fail(err, "%s: could not be written: %s", path,
			  strerror(err)) : 0;
}

bool readable(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

int parse_u64(const char *text, uint64_t *value)
{
	unsigned long long v;
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	v = strtoull(text, &end, 0);
	if (errno)
		return -ERANGE;
	if (*end)
		return -EINVAL;
	*value = v;
	return 0;
}

int parse_size(const char *text, uint64_t *bytes)
{
	unsigned long long v;
	unsigned int shift;
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	v = strtoull(text, &end, 0);
	if (errno)
		return -EINVAL;
	switch (tolower((unsigned char)*end)) {
	case 'k': shift = 10; break;
	case 'm': shift = 20; break;
	case 'g': shift = 30; break;
	case '\0': shift = 0; break;
	default: return -EINVAL;
	}
	if (shift && end[1] && strcasecmp(end + 1, "b") &&
	    strcasecmp(end + 1, "ib"))
		return -EINVAL;
	if (shift && v > (UINT64_MAX >> shift))
		return -EINVAL;
	*bytes = (uint64_t)v << shift;
	return 0;
}

const char *format_size(uint64_t bytes, char buf[24])
{
	static const char unit[] = { 'g', 'm', 'k' };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(unit); i++) {
		unsigned int shift = 30 - 10 * i;

		if (bytes && !(bytes & ((1ULL << shift) - 1))) {
			snprintf(buf, 24, "%llu%c",
				 (unsigned long long)(bytes >> shift), unit[i]);
			return buf;
		}
	}
	snprintf(buf, 24, "%llu", (unsigned long long)bytes);
	return buf;
}

static unsigned int min_of(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/*
 * Returns how many letters must be added, dropped, replaced or swapped with the
 * next one to make @b of @a.
 */
static unsigned int edit_distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b), i, j;
	unsigned int d[64][64];

	if (la >= ARRAY_SIZE(d) || lb >= ARRAY_SIZE(d))
		return UINT32_MAX;
	for (i = 0; i <= la; i++)
		d[i][0] = i;
	for (j = 0; j <= lb; j++)
		d[0][j] = j;
	for (i = 1; i <= la; i++)
		for (j = 1; j <= lb; j++) {
			d[i][j] = min_of(d[i - 1][j - 1] + (a[i - 1] != b[j - 1]),
					 min_of(d[i - 1][j], d[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				d[i][j] = min_of(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[la][lb];
}

const char *nearest_name(const char *name, const char *const *names, size_t nr)
{
	unsigned int len = strlen(name), most = len < 7 ? 1 : (len + 1) / 4;
	unsigned int best = most + 1;
	const char *found = NULL;
	size_t i;

	for (i = 0; i < nr; i++) {
		const char *dot = strchr(names[i], '.');
		unsigned int n = strlen(names[i]), d = n > len ? n - len : len - n;

		/* someone who types "pin_fast" means "gup.pin_fast" */
		if (dot && !strcmp(dot + 1, name))
			d = 0;
		else if (d <= most)
			d = edit_distance(name, names[i]);
		if (d < best) {
			best = d;
			found = names[i];
		}
	}
	return found;
}

int make_dirs(const char *path)
{
	char *p, *copy = xstrdup(path);
	int err = 0;

	for (p = copy + 1; ; p++) {
		char c = *p;

		if (c && c != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, 0777) && errno != EEXIST) {
			err = errno;
			break;
		}
		*p = c;
		if (!c)
			break;
	}
	free(copy);
	if (err)
		return fail(err, "can't make the folder %s: %s", path,
			    strerror(err));
	return 0;
}

void sha256_hex(const void *data, size_t len, char hex[65])
{
	SHA2_CTX ctx;

	SHA256Init(&ctx);
	SHA256Update(&ctx, data, len);
	SHA256End(&ctx, hex);
}
