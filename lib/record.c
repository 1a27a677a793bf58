// SPDX-License-Identifier: GPL-2.0
/* See record.h. */
#include "lib/record.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/util.h"

/* Prints whole doubles as integers, others with all digits for a round trip. */
#define DUMP_FLAGS	(JSON_COMPACT | JSON_REAL_PRECISION(17))

struct run_writer {
	char *path;
	int fd;
	bool regular;		/* a file or device that fsync() understands */
	SHA2_CTX sum;
	size_t points;
	double began;		/* seconds; NAN where the clock is emulated */
	int error;		/* a failed write stays failed: -errno */
};

/* CLOCK_BOOTTIME, in seconds. */
static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int write_line(struct run_writer *w, json_t *object, bool summed)
{
	char *line = json_dumps(object, DUMP_FLAGS);
	size_t len, done = 0;

	if (w->error) {
		free(line);
		return w->error;
	}
	if (!line)
		return w->error = fail(EINVAL, "%s: a record can't be written as JSON",
				       w->path);
	len = strlen(line);
	line[len++] = '\n';	/* replaces the NUL */
	while (done < len) {
		ssize_t n = write(w->fd, line + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			w->error = fail(errno, "%s: %s%s", w->path,
					strerror(errno), errno == ENOSPC ?
					"; free some space: the points written so far are kept" :
					"");
			break;
		}
		done += n;
	}
	if (!w->error && w->regular && fdatasync(w->fd))
		w->error = fail(errno, "%s: %s", w->path, strerror(errno));
	if (!w->error && summed)
		SHA256Update(&w->sum, (uint8_t *)line, len);
	free(line);
	return w->error;
}

/* Creates DIR/boot-NNN.jsonl with the lowest free number. */
static int create_numbered(const char *dir, char **path)
{
	unsigned int nr;
	int fd;

	if (make_dirs(dir))
		return -errno;
	for (nr = 1; nr < 100000; nr++) {
		*path = xasprintf("%s/boot-%03u.jsonl", dir, nr);
		fd = open(*path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST) {
			int err = fail(errno, "%s: %s", *path, strerror(errno));

			free(*path);
			*path = NULL;
			errno = -err;
			return err;
		}
		free(*path);
	}
	*path = NULL;
	return fail(ENOSPC, "%s: no number for another boot file is free", dir);
}

static bool ends_with(const char *s, const char *tail)
{
	size_t n = strlen(s), t = strlen(tail);

	return n >= t && !strcmp(s + n - t, tail);
}

struct run_writer *run_writer_open(const char *where, json_t *header)
{
	struct run_writer *w = xcalloc(1, sizeof(*w));
	json_t *full;
	struct stat st;

	if (!strcmp(where, "-")) {
		w->path = xstrdup("-");
		w->fd = dup(STDOUT_FILENO);
	} else if (ends_with(where, ".jsonl")) {
		w->path = xstrdup(where);
		w->fd = open(where, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			     0666);
		if (w->fd < 0)
			fail(errno, "%s: %s%s", where, strerror(errno),
			     errno == EEXIST ?
			     "; run files are never overwritten" : "");
	} else {
		w->fd = create_numbered(where, &w->path);
	}
	if (w->fd < 0) {
		int err = errno;

		free(w->path);
		free(w);
		errno = err;
		return NULL;
	}
	w->regular = !fstat(w->fd, &st) && S_ISREG(st.st_mode);
	SHA256Init(&w->sum);
	w->began = json_object_get(header, "started") ? now_s() : NAN;

	full = json_pack("{s:s, s:s}", "schema", RUN_SCHEMA, "type", "header");
	json_object_update(full, header);
	if (write_line(w, full, true)) {
		json_decref(full);
		run_writer_close(w, false);
		return NULL;
	}
	json_decref(full);
	return w;
}

const char *run_writer_path(const struct run_writer *w)
{
	return w->path;
}

int run_writer_point(struct run_writer *w, json_t *point)
{
	json_t *full = json_pack("{s:s}", "type", "point");
	int ret;

	json_object_update(full, point);
	ret = write_line(w, full, true);
	json_decref(full);
	if (!ret)
		w->points++;
	return ret;
}

int run_writer_close(struct run_writer *w, bool complete)
{
	int ret = w->error;

	if (complete && !ret) {
		char hex[SHA256_DIGEST_STRING_LENGTH], sum[80];
		json_t *footer;

		SHA256End(&w->sum, hex);
		snprintf(sum, sizeof(sum), "sha256:%s", hex);
		footer = json_pack("{s:s, s:I, s:s}", "type", "footer",
				   "records", (json_int_t)w->points, "checksum",
				   sum);
		if (!isnan(w->began))
			json_object_set_new(footer, "seconds",
					    json_real(now_s() - w->began));
		ret = write_line(w, footer, false);
		json_decref(footer);
	}
	if (close(w->fd) && !ret)
		ret = fail(errno, "%s: %s", w->path, strerror(errno));
	free(w->path);
	free(w);
	return ret;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static int check_header(struct run_file *f, json_t *o)
{
	const char *schema = text_of(o, "schema");

	if (!*schema || strcmp(text_of(o, "type"), "header"))
		return fail(EINVAL, "%s: not a run file of ptelab: its first line is not a header",
			    f->path);
	if (strcmp(schema, RUN_SCHEMA))
		return fail(EINVAL, "%s: schema %s; this ptelab reads %s, so use the version that wrote it",
			    f->path, schema, RUN_SCHEMA);
	f->header = json_incref(o);
	return 0;
}

static int check_footer(struct run_file *f, json_t *o, const char *text,
			const char *line)
{
	char hex[65];
	size_t records = json_integer_value(json_object_get(o, "records"));
	const char *sum = text_of(o, "checksum");

	sha256_hex(text, line - text, hex);
	if (strncmp(sum, "sha256:", 7) || strcmp(sum + 7, hex))
		return fail(EBADMSG, "%s: its checksum does not match: the file was changed or damaged after it was written",
			    f->path);
	if (records != f->nr_points)
		return fail(EBADMSG, "%s: its footer counts %zu points, but it contains %zu",
			    f->path, records, f->nr_points);
	f->complete = true;
	if (json_is_number(json_object_get(o, "seconds")))
		f->seconds = json_number_value(json_object_get(o, "seconds"));
	return 0;
}

/*
 * Returns whether @text is a metric's name, such as "in_force.Device-nGnRE".
 * Refuses a leading '-', which a spreadsheet takes for a formula.
 */
static bool is_name(const char *text)
{
	if (!isalnum((unsigned char)*text))
		return false;
	while (isalnum((unsigned char)*text) || (*text && strchr("_.-", *text)))
		text++;
	return !*text;
}

static int check_point(struct run_file *f, json_t *o, size_t line_nr)
{
	const char *name;
	json_t *value;

	if (!json_is_object(json_object_get(o, "params")) ||
	    !*text_of(o, "bench") || !*text_of(o, "status"))
		return fail(EINVAL, "%s: line %zu is not a point: bench, params or status is missing",
			    f->path, line_nr);
	json_object_foreach(json_object_get(o, "counters"), name, value)
		if (!is_name(name))
			return fail(EINVAL, "%s: line %zu has a metric '%s'; a name is of letters, digits, '_', '.' and '-'",
				    f->path, line_nr, name);
	f->points = xrealloc(f->points,
			     (f->nr_points + 1) * sizeof(*f->points));
	f->points[f->nr_points++] = json_incref(o);
	return 0;
}

static size_t take_list(void *ctx, double *v, size_t nr)
{
	struct run_file *f = ctx;

	f->lists = xrealloc(f->lists, (f->nr_lists + 1) * sizeof(*f->lists));
	f->lists[f->nr_lists] = batches_take(v, nr);
	return f->nr_lists++;
}

/* Parses a line, and takes its long lists out of the JSON. */
static json_t *parse_line(struct run_file *f, const char *line, size_t len,
			  json_error_t *err)
{
	char *rest;
	json_t *o;

	if (len < 2 * BATCHES_MIN)
		return json_loadb(line, len, JSON_REJECT_DUPLICATES, err);
	/* large, but pages that are never touched cost nothing */
	rest = malloc(len + 1);
	if (!rest)
		return json_loadb(line, len, JSON_REJECT_DUPLICATES, err);
	len = batches_extract(line, len, rest, take_list, f);
	o = json_loadb(rest, len, JSON_REJECT_DUPLICATES, err);
	free(rest);
	return o;
}

/* Adds one complete line. Returns 0, or -errno with fail() text. */
static int take_line(struct run_file *f, const char *text, const char *line,
		     size_t len, size_t line_nr)
{
	json_error_t err;
	json_t *o = parse_line(f, line, len, &err);
	const char *type;
	int ret;

	if (!json_is_object(o)) {
		json_decref(o);
		if (line_nr == 1)
			return fail(EINVAL, "%s: not a run file of ptelab: its first line is not a JSON object",
				    f->path);
		return fail(EBADMSG, "%s: line %zu is damaged: %s", f->path,
			    line_nr, o ? "not an object" : err.text);
	}
	type = text_of(o, "type");
	if (f->complete)
		ret = fail(EBADMSG, "%s: line %zu follows the footer",
			   f->path, line_nr);
	else if (line_nr == 1)
		ret = check_header(f, o);
	else if (!strcmp(type, "footer"))
		ret = check_footer(f, o, text, line);
	else if (!strcmp(type, "point"))
		ret = check_point(f, o, line_nr);
	else
		ret = fail(EBADMSG, "%s: line %zu has the unknown type '%s'",
			   f->path, line_nr, type);
	json_decref(o);
	return ret;
}

struct run_file *run_file_load(const char *path)
{
	struct run_file *f;
	size_t len, at = 0, line_nr = 0;
	char *text = read_file(path, &len);

	if (!text)
		return NULL;
	f = xcalloc(1, sizeof(*f));
	f->path = xstrdup(path);
	f->seconds = NAN;
	if (!len) {
		fail(EINVAL, "%s: empty; the run that made it ended before its first line",
		     path);
		goto bad;
	}
	while (at < len) {
		char *end = memchr(text + at, '\n', len - at);

		if (!end)
			break;
		if (take_line(f, text, text + at, end - text - at, ++line_nr))
			goto bad;
		at = end - text + 1;
	}
	if (!f->header) {
		fail(EINVAL, "%s: not a run file of ptelab, or cut short within its header",
		     path);
		goto bad;
	}
	if (f->complete && at < len) {
		fail(EBADMSG, "%s: something follows the footer", path);
		goto bad;
	}
	if (!f->complete)
		f->incomplete = xasprintf("cut short after %zu point%s%s",
					  f->nr_points,
					  f->nr_points == 1 ? "" : "s",
					  at < len ? "; its last line is torn" :
					  " (no footer)");
	free(text);
	return f;
bad:
	free(text);
	run_file_free(f);
	return NULL;
}

void run_file_free(struct run_file *f)
{
	size_t i;

	if (!f)
		return;
	for (i = 0; i < f->nr_points; i++)
		json_decref(f->points[i]);
	for (i = 0; i < f->nr_lists; i++)
		batches_free(f->lists[i]);
	json_decref(f->header);
	free(f->lists);
	free(f->points);
	free(f->incomplete);
	free(f->path);
	free(f);
}

const struct batch_list *run_file_batches(const struct run_file *f,
					  const json_t *point,
					  const char *metric)
{
	const json_t *place = json_object_get(json_object_get(point, "batches"),
					      metric);
	const json_t *at = json_object_get(place, "list");
	size_t nr = json_integer_value(at);

	return json_is_integer(at) && nr < f->nr_lists ? f->lists[nr] : NULL;
}

static int is_boot_file(const struct dirent *d)
{
	return !strncmp(d->d_name, "boot-", 5) && ends_with(d->d_name, ".jsonl");
}

/* Prints progress on a terminal if reading takes long. */
static void progress(const char *path, int nr, int all)
{
	struct stat st;

	if (!isatty(STDERR_FILENO))
		return;
	if (!path)
		fputs("\r\033[K", stderr);
	else if (!stat(path, &st) && st.st_size > (off_t)(4 * MIB))
		fprintf(stderr, "\r\033[Kreading %d of %d (%lld MiB)", nr, all,
			(long long)(st.st_size / MIB));
	fflush(stderr);
}

static int run_add(struct run *r, const char *path, int nr, int all)
{
	struct run_file *f;

	progress(path, nr, all);
	f = run_file_load(path);
	progress(NULL, 0, 0);
	if (!f)
		return -errno;
	r->files = xrealloc(r->files, (r->nr_files + 1) * sizeof(*r->files));
	r->files[r->nr_files++] = f;
	return 0;
}

struct run *run_load(const char *path)
{
	struct run *r = xcalloc(1, sizeof(*r));
	struct dirent **names = NULL;
	struct stat st;
	int i, nr, ret = 0;

	r->path = xstrdup(path);
	if (stat(path, &st)) {
		ret = fail(errno, "%s: %s", path, strerror(errno));
	} else if (!S_ISDIR(st.st_mode)) {
		ret = run_add(r, path, 1, 1);
	} else {
		nr = scandir(path, &names, is_boot_file, versionsort);
		if (nr < 0)
			ret = fail(errno, "%s: %s", path, strerror(errno));
		else if (!nr)
			ret = fail(ENOENT, "%s: no boot-*.jsonl in this folder; a run is a folder of boot files, as ptelab run -o writes it",
				   path);
		for (i = 0; i < nr; i++) {
			char *file = xasprintf("%s/%s", path, names[i]->d_name);

			if (!ret)
				ret = run_add(r, file, i + 1, nr);
			free(file);
			free(names[i]);
		}
		free(names);
	}
	if (ret) {
		run_free(r);
		return NULL;
	}
	return r;
}

void run_free(struct run *r)
{
	size_t i;

	if (!r)
		return;
	for (i = 0; i < r->nr_files; i++)
		run_file_free(r->files[i]);
	free(r->files);
	free(r->path);
	free(r);
}

char *param_value_text(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		return xstrdup(json_string_value(value));
	case JSON_INTEGER:
		return xasprintf("%" JSON_INTEGER_FORMAT,
				 json_integer_value(value));
	case JSON_REAL:
		return xasprintf("%.17g", json_real_value(value));
	case JSON_TRUE:
		return xstrdup("1");
	case JSON_FALSE:
		return xstrdup("0");
	default:
		return xstrdup("?");
	}
}
