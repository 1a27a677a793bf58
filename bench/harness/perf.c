// SPDX-License-Identifier: GPL-2.0
/*
 * See perf.h. perf_words.c has the options that are allowed.
 *
 * One file though it is long: the process and its output.
 */
#include "bench/harness/perf.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/harness/pass.h"
#include "bench/harness/perf_words.h"
#include "bench/kit/clock.h"
#include "bench/kit/stop.h"
#include "lib/beside.h"
#include "lib/metric.h"
#include "lib/util.h"

#define MAX_WORDS	64
#define OUR_WORDS	16

struct perf {
	char *text;		/* as asked */
	char *word[MAX_WORDS];
	unsigned int nr_words;
	bool record;
	bool derived;		/* its metrics were asked for, too */
	char *stem;		/* of its files; NULL: none are written */
	unsigned int nr_files;
	json_t *absent;		/* metrics that it can't count here */
	char *lost, *cost;
	/* the one that runs */
	pid_t pid;		/* 0: none */
	int control, answers;	/* pipes */
	void (*old_sigpipe)(int signal);
	int log, err;		/* memory that holds its output */
	char *file;		/* NULL: none */
	uint64_t control_ticks, switches;
};

struct perf *perf_new(const char *text)
{
	struct perf *p = xcalloc(1, sizeof(*p));
	char *copy = xstrdup(text), *save, *word;
	unsigned int i;
	int ret = 0;

	p->control = p->answers = p->log = p->err = -1;
	p->old_sigpipe = SIG_ERR;
	p->text = xstrdup(text);
	p->absent = json_object();
	p->cost = xstrdup("");
	for (word = strtok_r(copy, " \t\n", &save); word && !ret;
	     word = strtok_r(NULL, " \t\n", &save)) {
		if (p->nr_words == MAX_WORDS)
			ret = fail(E2BIG, "--perf: more than %d words",
				   MAX_WORDS);
		else
			p->word[p->nr_words++] = xstrdup(word);
	}
	free(copy);
	p->record = p->nr_words && !strcmp(p->word[0], "record");
	if (!ret)
		ret = perf_words_check(p->word, p->nr_words);
	for (i = 0; i < p->nr_words; i++)
		p->derived |= !strncmp(p->word[i], "-M", 2) ||
			      !strncmp(p->word[i], "--metrics", 9);
	if (!ret)
		return p;
	perf_free(p);
	return NULL;
}

bool perf_records(const struct perf *p)
{
	return p->record;
}

/* --- the process --- */

static char *text_of(int fd)
{
	lseek(fd, 0, SEEK_SET);
	return read_fd(fd, "perf", NULL) ?: xstrdup("");
}

/* The line of what perf said that tells why it ended; the caller frees. */
static char *complaint_in(char *said)
{
	char *save, *line, *why = NULL, *more;

	for (line = strtok_r(said, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		line += strspn(line, " \t");
		if (!strncmp(line, "Error:", 6))
			line += 6 + strspn(line + 6, " \t");
		if (!*line || !strcmp(line, "Events enabled") ||
		    !strcmp(line, "Events disabled") ||
		    !strncmp(line, "[ perf record", 13))
			continue;
		if (!why) {
			why = xstrdup(line);
			continue;
		}
		/* an event, and below it what is wrong with it */
		more = strstr(line, "\\___ ");
		if (more)
			append_text(&why, ": ", "%s", more + 5);
		break;
	}
	return why ?: xstrdup("it ended without a reason");
}

/* Returns whether perf gave up because this machine lacks the event. */
static bool is_not_here(const char *why)
{
	static const char *const texts[] = {
		"event is not supported", "Cannot find PMU",
		"Function not implemented",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(texts); i++)
		if (strstr(why, texts[i]))
			return true;
	return false;
}

static void close_all(struct perf *p)
{
	int *const fd[] = { &p->control, &p->answers, &p->log, &p->err };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fd); i++) {
		if (*fd[i] >= 0)
			close(*fd[i]);
		*fd[i] = -1;
	}
	if (p->old_sigpipe != SIG_ERR)
		signal(SIGPIPE, p->old_sigpipe);
	p->old_sigpipe = SIG_ERR;
	free(p->file);
	p->file = NULL;
	p->pid = 0;
}

/*
 * Waits until perf has ended. Returns 0 if it succeeded or ended by our SIGINT;
 * else -errno with perf's message as fail() text.
 */
static int await_end(struct perf *p)
{
	char *said, *why;
	int status = 0, ret;
	bool fine;

	while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
		;
	p->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == BESIDE_NONE)
		return fail(ENODEV, "--perf: there is no perf here; apt-get install linux-perf");
	said = text_of(p->err);
	fine = WIFSIGNALED(status) ? WTERMSIG(status) == SIGINT :
		!WEXITSTATUS(status);
	/* it ends by SIGINT even if it could not write its file */
	if (fine && p->record)
		fine = strstr(said, "Captured and wrote");
	if (fine) {
		free(said);
		return 0;
	}
	why = complaint_in(said);
	ret = fail(is_not_here(why) ? ENODEV : EINVAL, "--perf: perf: %s", why);
	free(why);
	free(said);
	return ret;
}

void perf_drop(struct perf *p)
{
	if (p->pid) {
		kill(p->pid, SIGKILL);
		while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (p->file && p->stem)
		unlink(p->file);
	close_all(p);
}

/* Sends a command to perf and waits for its answer. */
static int command(struct perf *p, const char *text)
{
	char buf[16];
	ssize_t n = write(p->control, text, strlen(text));

	/* its answer is "ack\n" and a NUL */
	if (n > 0)
		do {
			n = read(p->answers, buf, sizeof(buf));
		} while (n > 0 ? !memchr(buf, '\n', n) :
			 n < 0 && errno == EINTR && !bench_stop);
	if (n > 0)
		return 0;
	if (bench_stop)
		return -EINTR;
	n = await_end(p);
	return n ? n : fail(EPROTO, "--perf: perf has ended too early");
}

static int start(struct perf *p, const char *file, const pid_t *tid,
		 unsigned int nr)
{
	char *argv[MAX_WORDS + OUR_WORDS] = { "perf" }, **arg = argv + 1;
	char *tids = xstrdup(""), *control, *log;
	unsigned int i;
	int to[2], from[2];

	p->file = file ? xstrdup(file) : NULL;
	for (i = 0; i < nr; i++)
		append_text(&tids, ",", "%d", tid[i]);
	p->log = memfd_create("perf", MFD_CLOEXEC);
	p->err = memfd_create("perf", MFD_CLOEXEC);
	if (p->log < 0 || p->err < 0 || pipe2(to, O_CLOEXEC) ||
	    pipe2(from, O_CLOEXEC)) {
		free(tids);
		return fail(errno, "--perf: %s", strerror(errno));
	}
	p->control = to[1];
	p->answers = from[0];
	p->control_ticks = p->switches = 0;
	control = xasprintf("fd:%d,%d", to[0], from[1]);
	log = xasprintf("%d", p->log);
	for (i = 0; i < p->nr_words; i++)
		*arg++ = p->word[i];
	*arg++ = "-D";
	*arg++ = "-1";
	*arg++ = "--control";
	*arg++ = control;
	*arg++ = "-t";
	*arg++ = tids;
	if (p->record) {
		*arg++ = "-N";	/* no copies in ~/.debug */
		*arg++ = "-o";
		*arg++ = p->file;
	} else {
		*arg++ = "-j";
		*arg++ = "--log-fd";
		*arg++ = log;
	}
	/* for numbers and messages */
	setenv("LC_ALL", "C", 1);
	p->pid = beside_start(argv, p->err, p->err,
			      (const int[]){ to[0], from[1], p->log, -1 });
	/* it may end before it reads a command */
	p->old_sigpipe = signal(SIGPIPE, SIG_IGN);
	close(to[0]);
	close(from[1]);
	free(control);
	free(log);
	free(tids);
	if (p->pid < 0) {
		i = -p->pid;
		p->pid = 0;
		return -i;
	}
	/* it listens once its events are open */
	return command(p, "disable\n");
}

static int end(struct perf *p)
{
	kill(p->pid, SIGINT);
	return await_end(p);
}

/* --- its counts --- */

/* A count of a line, or the metric that perf derived from it. */
struct perf_figure {
	const json_t *line;
	bool derived;
	char name[160];		/* of ptelab's metric */
	const char *unit;
};

/* Sets name and unit; returns false if the line has no such figure. */
static bool name_figure(struct perf_figure *f)
{
	const char *text = json_string_value(json_object_get(f->line,
				f->derived ? "metric-unit" : "event"));

	f->unit = json_string_value(json_object_get(f->line, "unit"));
	if (text && f->derived) {
		/* "%  frontend_bound" */
		f->unit = strchr(text, '%') ? "%" : "ratio";
		text += strspn(text, "% ");
	}
	if (!f->unit || !*f->unit)
		f->unit = "counts";
	if (!text || !*text)
		return false;
	snprintf(f->name, sizeof(f->name), "perf.");
	metric_name_add(f->name, sizeof(f->name), text);
	return true;
}

/* A line of perf stat -j as an object, NULL if it is none. */
static json_t *line_json(const char *text)
{
	const char *ratio = strstr(text, ", \"metric-value\"");
	json_t *line = json_loads(text, 0, NULL);
	char *without;

	/* perf prints a ratio that is none as nan, which JSON lacks */
	if (line || !ratio)
		return line;
	without = xasprintf("%.*s}", (int)(ratio - text), text);
	line = json_loads(without, 0, NULL);
	free(without);
	return line;
}

/* Calls @take for each figure; returns how many there are. */
static unsigned int take_figures(struct perf *p, void *ctx,
	void (*take)(void *ctx, const struct perf_figure *f))
{
	char *said = text_of(p->log), *save, *text;
	unsigned int nr = 0, derived;
	struct perf_figure f;

	for (text = strtok_r(said, "\n", &save); text;
	     text = strtok_r(NULL, "\n", &save)) {
		json_t *line = line_json(text);

		for (derived = 0; derived <= p->derived; derived++) {
			f.line = line;
			f.derived = derived;
			if (!name_figure(&f))
				continue;
			take(ctx, &f);
			nr++;
		}
		json_decref(line);
	}
	free(said);
	return nr;
}

/* NULL, or why there is no count. */
static const char *why_none(const json_t *line, double *count)
{
	const char *text = json_string_value(json_object_get(line,
							     "counter-value"));
	char *end;

	*count = text ? strtod(text, &end) : 0;
	if (text && end != text && !*end)
		return NULL;
	return text && !strcmp(text, "<not supported>") ?
		"perf: not supported here" :
		"perf: not counted, for it never got a counter";
}

struct tried {
	struct perf *p;
	const char *better;
	json_t *known, *absent;	/* of the header */
	unsigned int nr_here;
	char *first;		/* that is not here */
};

static void note_metric(void *ctx, const struct perf_figure *f)
{
	struct tried *t = ctx;
	const char *why;
	double count;

	json_object_set_new(t->known, f->name, json_pack(
			"{s:s, s:s, s:s}", "unit", f->unit, "kind",
			metric_kind_name(METRIC_TOOL), "better", t->better));
	why = f->derived ? NULL : why_none(f->line, &count);
	if (!why || !strstr(why, "supported")) {
		t->nr_here += !f->derived;
		return;
	}
	json_object_set_new(t->p->absent, f->name, json_string(why));
	json_object_set_new(t->absent, f->name, json_string(why));
	if (!t->first)
		t->first = xstrdup(f->name + strlen("perf."));
}

int perf_try(struct perf *p, const char *better, json_t *header)
{
	struct tried t = {
		.p = p, .better = better,
		.known = json_object_get(header, "metrics"),
		.absent = json_object_get(header, "absent"),
	};
	const pid_t tid = gettid();
	int ret;

	json_object_set_new(json_object_get(t.known, "perf.*"), "better",
			    json_string(better));
	ret = start(p, p->record ? "/dev/null" : NULL, &tid, 1);
	if (!ret)
		ret = command(p, "enable\n");
	if (!ret)
		ret = command(p, "disable\n");
	if (!ret)
		ret = end(p);
	if (!ret && !p->record) {
		take_figures(p, &t, note_metric);
		if (!t.nr_here)
			ret = t.first ? fail(ENODEV, "--perf: perf: the %s event is not supported here",
					     t.first) :
				fail(EINVAL, "--perf: perf stat printed no JSON; perf 6.0 or newer does");
	}
	free(t.first);
	perf_drop(p);
	return ret;
}

/* --- a point --- */

void perf_beside(struct perf *p, const char *boot)
{
	size_t len = strlen(boot);

	if (!strcmp(boot, "-"))
		return;
	p->stem = xstrndup(boot, len - strlen(".jsonl"));
}

/* The next file, which must not be there yet; NULL without a stem. */
static int new_file(struct perf *p, char **path)
{
	int fd;

	*path = NULL;
	if (!p->stem)
		return 0;
	*path = xasprintf("%s.perf-%03u.%s", p->stem, ++p->nr_files,
			  p->record ? "data" : "json");
	fd = open(*path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(errno, "--perf: %s: %s", *path, strerror(errno));
	close(fd);
	return 0;
}

static int lose(struct perf *p, int ret)
{
	if (ret && ret != -EINTR && !p->lost)
		p->lost = xstrdup(fail_text());
	return ret;
}

int perf_start(struct perf *p, const pid_t *tid, unsigned int nr)
{
	char *path;
	int ret = new_file(p, &path);

	if (!ret)
		ret = start(p, path, tid, nr);
	free(path);
	return lose(p, ret);
}

int perf_enable(struct perf *p, bool on)
{
	uint64_t from = clock_ticks();
	int ret = command(p, on ? "enable\n" : "disable\n");

	p->control_ticks += clock_ticks() - from;
	p->switches += on;
	return lose(p, ret);
}

double perf_control_ns(const struct perf *p)
{
	return p->switches ? clock_ns(p->control_ticks) / p->switches : 0;
}

struct counted_point {
	struct perf *p;
	json_t *point;
	uint64_t ops;
};

static void put_figure(void *ctx, const struct perf_figure *f)
{
	struct counted_point *c = ctx;
	json_t *share = json_object_get(f->line, "pcnt-running");
	const char *why, *name = f->name;
	double count;

	if (json_object_get(c->p->absent, name))
		return;
	if (f->derived) {
		count = json_number_value(json_object_get(f->line,
							  "metric-value"));
		pass_put_counter(c->point, name, count, count, 1, "timed");
		return;
	}
	why = why_none(f->line, &count);
	if (why) {
		pass_put_absent(c->point, name, why);
		return;
	}
	pass_put_counter(c->point, name, count / c->ops, count, c->ops, "timed");
	if (json_number_value(share) < 100)
		json_object_set(json_object_get(json_object_get(c->point,
				"counters"), name), "percent_running", share);
}

static int save_log(const char *path, int log)
{
	char *text = text_of(log);
	FILE *f = fopen(path, "we");
	int ret;

	if (f)
		fputs(text, f);
	free(text);
	ret = f ? close_file(f, path) : fail(errno, "%s: %s", path,
					     strerror(errno));
	return ret ? fail_prefix(ret, "--perf") : 0;
}

/* Returns the number of samples in perf's message. */
static json_int_t samples_written(int err)
{
	char *said = text_of(err), *at = strstr(said, "Captured and wrote");
	json_int_t nr;

	at = at ? strchr(at, '(') : NULL;
	nr = at ? strtoll(at + 1, NULL, 10) : 0;
	free(said);
	return nr;
}

int perf_stop(struct perf *p, json_t *point, uint64_t ops)
{
	struct counted_point c = { p, point, ops };
	json_t *about = json_pack("{s:s+}", "command", "perf ", p->text);
	const char *slash;
	int ret = end(p);

	if (!ret && !p->record) {
		if (!take_figures(p, &c, put_figure))
			ret = fail(EPROTO, "--perf: perf stat printed no counts");
		if (!ret && p->file)
			ret = save_log(p->file, p->log);
	} else if (!ret) {
		json_object_set_new(about, "samples",
				    json_integer(samples_written(p->err)));
	}
	if (!ret && p->file) {
		slash = strrchr(p->file, '/');
		json_object_set_new(about, "file", json_string(
				slash ? slash + 1 : p->file));
	}
	if (!ret) {
		json_object_set(point, "perf", about);
		close_all(p);	/* the file stays */
	}
	json_decref(about);
	lose(p, ret);
	perf_drop(p);
	return ret;
}

const char *perf_lost(const struct perf *p)
{
	return p->lost;
}

void perf_set_cost(struct perf *p, char *text)
{
	free(p->cost);
	p->cost = text;
}

const char *perf_cost(const struct perf *p)
{
	return p->cost;
}

void perf_free(struct perf *p)
{
	unsigned int i;

	if (!p)
		return;
	perf_drop(p);
	for (i = 0; i < p->nr_words; i++)
		free(p->word[i]);
	free(p->text);
	free(p->stem);
	free(p->lost);
	free(p->cost);
	json_decref(p->absent);
	free(p);
}
