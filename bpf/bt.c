// SPDX-License-Identifier: GPL-2.0
/*
 * See bt.h. bpftrace prints its maps as JSON when it gets SIGUSR1, but not those
 * that are empty, nor where a print ends. So the script gets a map of its own
 * that is always printed. What is printed between two of these is every map,
 * once.
 */
#include "bpf/bt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/beside.h"
#include "lib/metric.h"
#include "lib/util.h"

/* An unkeyed count() is printed even if it never ran. */
#define MARK		"@ptelab_mark"
#define MARK_PROBE	"\ninterval:s:99999 { " MARK " = count(); }\n"
#define ATTACHED	"__BPFTRACE_NOTIFY_PROBES_ATTACHED"
#define MAX_KEY		64
#define MAX_ARGS	16

const char bt_fell[] = "no count: the map's value fell";

/* The emulated machine takes a while to compile a script. */
#define START_MS	300000
#define READ_MS		30000

struct bt {
	pid_t pid;
	int out, err;		/* -1: at its end */
	char *said, *errors;	/* not yet looked at */
};

/* --- the process --- */

static char *word_at(char **at)
{
	char *start = *at + strspn(*at, " \t\n");
	size_t len = strcspn(start, " \t\n");

	*at = start + len;
	return len ? xstrndup(start, len) : NULL;
}

/* The program's text, and its arguments in @arg; the caller frees. */
static char *program_of(const char *script, pid_t pid, char *arg[MAX_ARGS])
{
	char *copy = xstrdup(script), *at = copy, *file = word_at(&at);
	char *text = NULL, *program;
	size_t nr = 0;

	if (!file || strlen(file) < 3 || strcmp(file + strlen(file) - 3, ".bt"))
		text = xstrdup(script);
	else
		text = read_file(file, NULL);
	while (text && file && strcmp(script, text) && nr < MAX_ARGS - 1 &&
	       (arg[nr] = word_at(&at)))
		nr++;
	if (!nr)
		arg[nr++] = xasprintf("%d", pid);
	arg[nr] = NULL;
	free(copy);
	free(file);
	if (!text) {
		fail_prefix(-EINVAL, "--bt");
		return NULL;
	}
	program = xasprintf("%s%s", text, MARK_PROBE);
	free(text);
	return program;
}

static int start_process(struct bt *b, const char *program, char *const *arg)
{
	char *argv[MAX_ARGS + 6] = {
		"bpftrace", "-f", "json", "-e", (char *)program
	};
	int out[2], err[2], i;

	for (i = 0; arg[i]; i++)
		argv[5 + i] = arg[i];
	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		return fail(errno, "can't make a pipe: %s", strerror(errno));
	setenv(ATTACHED, "1", 1);
	b->pid = beside_start(argv, out[1], err[1], (const int[]){ -1 });
	close(out[1]);
	close(err[1]);
	b->out = out[0];
	b->err = err[0];
	return b->pid < 0 ? b->pid : 0;
}

/* --- what it says --- */

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

static void take(int *fd, char **text)
{
	char buf[4096];
	ssize_t n = read(*fd, buf, sizeof(buf));

	if (n < 0 && errno == EINTR)
		return;
	if (n > 0) {
		append_text(text, "", "%.*s", (int)n, buf);
		return;
	}
	close(*fd);
	*fd = -1;
}

/* Waits for more of what it prints. false: it has ended, or it took too long. */
static bool more(struct bt *b, double until)
{
	struct pollfd p[] = {
		{ .fd = b->out, .events = POLLIN },
		{ .fd = b->err, .events = POLLIN },
	};
	double left = until - now_ms();

	if ((b->out < 0 && b->err < 0) || left <= 0)
		return false;
	if (poll(p, 2, left + 1) < 0)
		return errno == EINTR;
	if (p[0].revents)
		take(&b->out, &b->said);
	if (p[1].revents)
		take(&b->err, &b->errors);
	return true;
}

/* The next whole line of its output; NULL: none so far. The caller frees. */
static char *next_line(struct bt *b)
{
	char *end = strchr(b->said, '\n'), *line;

	if (!end)
		return NULL;
	line = xstrndup(b->said, end - b->said);
	memmove(b->said, end + 1, strlen(end + 1) + 1);
	return line;
}

/*
 * The most useful error, in one line: one with a place in the script, which
 * bpftrace gives as "stdin:LINE:COLUMNS: ERROR: TEXT"; else the last one.
 */
static int report_error(const struct bt *b)
{
	char *copy = xstrdup(b->errors), *save, *line, *text;
	const char *last = "it ended without a reason";
	int ret, nr, chars;

	for (line = strtok_r(copy, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		text = strstr(line, "ERROR: ");
		if (!text || strstr(text, "RLIMIT_MEMLOCK"))
			continue;
		text += strlen("ERROR: ");
		if (sscanf(line, "stdin:%d:%n", &nr, &chars) == 1) {
			ret = fail(EINVAL, "--bt: line %d of the script, column %.*s: %s",
				   nr, (int)strcspn(line + chars, ":"),
				   line + chars, text);
			free(copy);
			return ret;
		}
		last = text;
	}
	ret = fail(EINVAL, "--bt: bpftrace: %s", last);
	free(copy);
	return ret;
}

static int wait_attached(struct bt *b)
{
	double until = now_ms() + START_MS;
	int status;

	/* on standard error, or from 0.20 on on standard output */
	while (!strstr(b->errors, ATTACHED) && !strstr(b->said, ATTACHED))
		if (!more(b, until))
			break;
	if (strstr(b->errors, ATTACHED) || strstr(b->said, ATTACHED))
		return 0;
	if (now_ms() >= until)
		return fail(EINVAL, "--bt: bpftrace did not attach its probes within %d s",
			    START_MS / 1000);
	while (waitpid(b->pid, &status, 0) < 0 && errno == EINTR)
		;
	b->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == BESIDE_NONE)
		return fail(ENOENT, "--bt: there is no bpftrace here; apt-get install bpftrace");
	return report_error(b);
}

struct bt *bt_start(const char *script, pid_t pid)
{
	struct bt *b = xcalloc(1, sizeof(*b));
	char *arg[MAX_ARGS] = { NULL }, *program;
	int ret = -EINVAL, i;

	b->out = b->err = -1;
	b->said = xstrdup("");
	b->errors = xstrdup("");
	program = program_of(script, pid, arg);
	if (program)
		ret = start_process(b, program, arg);
	if (!ret)
		ret = wait_attached(b);
	for (i = 0; arg[i]; i++)
		free(arg[i]);
	free(program);
	if (!ret)
		return b;
	bt_stop(b);
	errno = -ret;
	return NULL;
}

void bt_stop(struct bt *b)
{
	double until = now_ms() + READ_MS;

	if (b->pid > 0) {
		/* it detaches, and prints its maps */
		kill(b->pid, SIGTERM);
		while (b->out >= 0 && more(b, until))
			;
		kill(b->pid, SIGKILL);
		while (waitpid(b->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (b->out >= 0)
		close(b->out);
	if (b->err >= 0)
		close(b->err);
	free(b->said);
	free(b->errors);
	free(b);
}

/* --- maps --- */

static void add_number(json_t *counts, const char *name, json_int_t n)
{
	json_int_t old = json_integer_value(json_object_get(counts, name));

	json_object_set_new(counts, name, json_integer(old + n));
}

static void take_map(const char *map, const json_t *value, const char *type,
		     json_t *counts, json_t *not)
{
	char name[MAX_KEY + 40] = "bt.";
	const char *key;
	json_t *n;
	size_t len;

	metric_name_add(name, sizeof(name) - MAX_KEY, map[1] ? map + 1 : "_");
	if (strcmp(type, "map")) {
		json_object_set_new(not, name, json_sprintf(
			"not a number: the map is of %s", type));
		return;
	}
	if (json_is_integer(value)) {
		json_object_set(counts, name, (json_t *)value);
		return;
	}
	len = strlen(name);
	json_object_foreach((json_t *)value, key, n) {
		name[len] = 0;
		if (!*key || strlen(key) > MAX_KEY || strchr(key, '\n') ||
		    !json_is_integer(n)) {
			json_object_set_new(not, name, json_string(
				"no names of metrics: its keys are stacks or long texts, or its values no numbers"));
			continue;
		}
		metric_name_add(name, sizeof(name), ".");
		metric_name_add(name, sizeof(name), key);
		add_number(counts, name, json_integer_value(n));
	}
}

/* Returns whether the line is the mark. */
static bool take_line(const char *line, json_t *counts, json_t *not)
{
	json_t *o = json_loads(line, 0, NULL), *value;
	json_t *data = json_object_get(o, "data");
	const char *type = json_string_value(json_object_get(o, "type"));
	bool mark = false;
	const char *map;

	json_object_foreach(data, map, value) {
		if (*map != '@' || !type)
			continue;
		if (!strcmp(map, MARK))
			mark = true;
		else
			take_map(map, value, type, counts, not);
	}
	json_decref(o);
	return mark;
}

static int read_to_mark(struct bt *b, json_t *counts, json_t *not)
{
	double until = now_ms() + READ_MS;
	bool mark = false;
	char *line;

	kill(b->pid, SIGUSR1);
	while (!mark) {
		line = next_line(b);
		if (line)
			mark = take_line(line, counts, not);
		else if (!more(b, until))
			return fail(EPROTO, "--bt: bpftrace %s", b->out < 0 ?
				    "has ended" : "does not answer");
		free(line);
	}
	return 0;
}

/*
 * Waits until it sleeps again: what it does after the mark would otherwise be
 * beside the operation, and in the machine's statistics.
 */
static void wait_idle(const struct bt *b)
{
	double until = now_ms() + READ_MS;
	bool idle = false;

	while (!idle && now_ms() < until) {
		char *stat = read_line("/proc/%d/stat", b->pid);
		const char *name_end = stat ? strrchr(stat, ')') : NULL;

		idle = !name_end || !strncmp(name_end, ") S", 3) ||
		       !strncmp(name_end, ") Z", 3);
		free(stat);
		if (!idle)
			usleep(1000);
	}
}

json_t *bt_read(struct bt *b, json_t *not)
{
	json_t *counts = json_object();

	if (!read_to_mark(b, counts, not)) {
		json_object_clear(counts);
		if (!read_to_mark(b, counts, not)) {
			wait_idle(b);
			return counts;
		}
	}
	json_decref(counts);
	return NULL;
}

json_t *bt_since(const json_t *before, const json_t *now)
{
	json_t *all = json_object(), *n;
	const char *name;

	json_object_foreach((json_t *)now, name, n)
		add_number(all, name, json_integer_value(n));
	json_object_foreach((json_t *)before, name, n)
		add_number(all, name, -json_integer_value(n));
	return all;
}

/* --- the source of the counted pass --- */

static const char *use;		/* the script */
/*
 * Names of what its maps held so far. One that is found later was 0 before.
 */
static const char *names[MAX_VALUES];

struct bt_priv {
	struct bt *bt;
	json_t *before, *not;
};

void bt_source_use(const char *script)
{
	use = script;
}

static size_t metric_index(const char *name)
{
	static unsigned int full;
	size_t i;

	for (i = 0; names[i]; i++)
		if (!strcmp(names[i], name))
			return i;
	if (i + 1 < ARRAY_SIZE(names))
		names[i] = xstrdup(name);
	else if (!full++)
		warn("--bt: the maps have more than %zu keys; %s and others are left out",
		     i, name);
	return i;
}

static void source_close(void *priv)
{
	struct bt_priv *s = priv;

	bt_stop(s->bt);
	json_decref(s->before);
	json_decref(s->not);
	free(s);
}

static int source_open(void **priv, pid_t pid, struct counter_value *values)
{
	struct bt_priv *s;
	struct bt *bt = bt_start(use, pid);

	(void)values;
	if (!bt)
		return -errno;
	s = xcalloc(1, sizeof(*s));
	s->bt = bt;
	s->not = json_object();
	*priv = s;
	return 0;
}

static int source_start(void *priv)
{
	struct bt_priv *s = priv;

	json_decref(s->before);
	s->before = bt_read(s->bt, s->not);
	return s->before ? 0 : -EPROTO;
}

/* What stands in the place of a count. */
static void put_why(const char *name, const char *why,
		    struct counter_value *values)
{
	size_t i = metric_index(name);

	if (names[i])
		values[i] = (struct counter_value){ .absent = why };
}

static int source_stop(void *priv, struct counter_value *values)
{
	struct bt_priv *s = priv;
	json_t *now = bt_read(s->bt, s->not), *since, *n;
	const char *name;
	size_t i;

	if (!now)
		return -EPROTO;
	since = bt_since(s->before, now);
	json_object_foreach(since, name, n)
		metric_index(name);
	for (i = 0; names[i]; i++) {
		json_int_t d = json_integer_value(json_object_get(since,
								  names[i]));

		values[i] = (struct counter_value){ .present = true,
						    .count = d };
		if (d < 0)
			put_why(names[i], bt_fell, values);
	}
	json_object_foreach(s->not, name, n)
		put_why(name, json_string_value(n), values);
	json_decref(since);
	json_decref(now);
	return 0;
}

const struct counter_source bt_source = {
	.name = "bt",
	.pass = PASS_COUNTED,
	.wakes_others = true,
	.metrics = names,
	.open = source_open,
	.start = source_start,
	.stop = source_stop,
	.close = source_close,
};
