// SPDX-License-Identifier: GPL-2.0
/* See picture.h. */
#include "analysis/draw/picture.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analysis/draw/format.h"
#include "analysis_gp.h"
#include "lib/util.h"

static char *search_path(const char *program)
{
	char *path = xstrdup(getenv("PATH") ? getenv("PATH") : ""), *save, *dir;
	char *found = NULL;

	for (dir = strtok_r(path, ":", &save); dir && !found;
	     dir = strtok_r(NULL, ":", &save)) {
		found = xasprintf("%s/%s", dir, program);
		if (access(found, X_OK)) {
			free(found);
			found = NULL;
		}
	}
	free(path);
	return found;
}

int gnuplot_available(void)
{
	char *found = search_path("gnuplot");

	free(found);
	if (!found)
		return fail(ENOENT, "gnuplot is not on the PATH: install it (Debian, Fedora: gnuplot-nox or gnuplot-minimal) and call again");
	return 0;
}

/* Returns a file name of letters, digits, dots and dashes. The caller frees. */
static char *file_stem(const char *name)
{
	char *stem = xstrdup(name), *c;

	for (c = stem; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
			*c = '-';
	return stem;
}

/*
 * Quotes a text for gnuplot: in single quotes, in which gnuplot expands
 * nothing. If a character could end the quotes, or has a meaning in a script
 * that is evaluated, then in double quotes, with its octal code. @tic: for the
 * label of a tic, which is a format. The caller frees.
 */
static char *quote(const char *text, bool tic)
{
	char *quoted = xcalloc(4 * strlen(text) + 3, 1), *to = quoted, mark = '\'';

	for (to++; *text; text++)
		if (isalnum((unsigned char)*text) || *text & 0x80 ||
		    strchr(" .,:;/_=+-()<>*?!|~[]", *text)) {
			*to++ = *text;
		} else if (*text == '%') {
			to = stpcpy(to, tic ? "%%" : "%");
		} else {
			to += sprintf(to, "\\%03o", *text);
			mark = '"';
		}
	*quoted = mark;
	*to = mark;
	return quoted;
}

char *picture_quote(const char *text, bool tic)
{
	char *clean = clean_text(text), *quoted = quote(clean, tic);

	free(clean);
	return quoted;
}

/*
 * Keeps the start of gnuplot's messages. Reads the rest as well, because
 * gnuplot would die of SIGPIPE.
 */
static void read_all(int fd, char *said, size_t size)
{
	char buf[512];
	size_t len = 0;
	ssize_t n, i;

	while ((n = read(fd, buf, sizeof(buf))) > 0 || (n < 0 &&
							errno == EINTR))
		for (i = 0; i < n; i++)
			if (len + 1 < size)
				said[len++] = buf[i] == '\n' ? ' ' : buf[i];
	said[len] = '\0';
}

static int run_gnuplot(const char *script, const char *setting)
{
	char said[512] = "";
	int pipe_fd[2], status;
	pid_t pid;

	fflush(stdout);
	if (pipe2(pipe_fd, O_CLOEXEC))
		return fail(errno, "pipe: %s", strerror(errno));
	pid = fork();
	if (!pid) {
		dup2(pipe_fd[1], STDERR_FILENO);
		execlp("gnuplot", "gnuplot", "-e", setting, script,
		       (char *)NULL);
		_exit(127);
	}
	close(pipe_fd[1]);
	if (pid < 0) {
		close(pipe_fd[0]);
		return fail(errno, "fork: %s", strerror(errno));
	}
	read_all(pipe_fd[0], said, sizeof(said));
	close(pipe_fd[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return fail(EIO, "gnuplot failed: %s", said);
	return 0;
}

/*
 * Checks that a picture was written to its end, which each format marks in its
 * own way. Returns 0, or -ENOSPC with fail() text.
 */
static int check_written(const char *path)
{
	static const char *const ends[] = { "</svg>", "IEND", "%%EOF" };
	char *text, *tail;
	bool whole = false;
	size_t len, i;

	text = read_file(path, &len);
	if (!text)
		return -errno;
	tail = text + (len > 16 ? len - 16 : 0);
	for (i = 0; i < ARRAY_SIZE(ends); i++)
		whole = whole || memmem(tail, text + len - tail, ends[i],
					strlen(ends[i]));
	free(text);
	if (!whole)
		return fail(ENOSPC, "%s: gnuplot could not write all of it; is the disk full?",
			    path);
	return 0;
}

static int draw(const char *stem, const char *script,
		const struct plot_options *o, const char *format)
{
	bool terminal = !strcmp(format, "terminal");
	char *output = xasprintf("%s/%s.%s", o->dir, stem, format);
	char *quoted = quote(output, false), *setting;
	int ret;

	if (terminal)
		setting = xasprintf("format = 'terminal'");
	else
		setting = xasprintf("format = '%s'; output = %s", format,
				    quoted);
	ret = run_gnuplot(script, setting);
	/* gnuplot reports no error if the disk is full */
	if (!ret && !terminal)
		ret = check_written(output);
	if (ret && !terminal)
		unlink(output);
	else if (!terminal && !o->quiet)
		printf("%s\n", output);
	free(setting);
	free(quoted);
	free(output);
	return ret;
}

/*
 * Opens the script: where it stays with @keep, otherwise as a temporary file.
 */
static FILE *open_script(const char *stem, const struct plot_options *o,
			 char **path)
{
	const char *tmp = getenv("TMPDIR");
	int fd;

	if (o->keep) {
		*path = xasprintf("%s/%s.gp", o->dir, stem);
		fd = open(*path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			  0666);
	} else {
		*path = xasprintf("%s/ptelab-plot-XXXXXX",
				  tmp && *tmp ? tmp : "/tmp");
		fd = mkostemp(*path, O_CLOEXEC);
	}
	return fd < 0 ? NULL : fdopen(fd, "w");
}

int picture_draw(const char *name, const char *template, int width, int height,
		 const char *body, const struct plot_options *o)
{
	char *stem = file_stem(name), *script = NULL;
	FILE *f = open_script(stem, o, &script);
	int ret = 0;
	size_t i;

	if (f)
		fprintf(f, "# Made by ptelab plot. Draw it again, perhaps changed, with\n"
			"#   gnuplot -e \"format='svg'; output='x.svg'\" THIS\n"
			"width = %d\nheight = %d\nlines = %d\n%s%s%s", width,
			height, height < 480 ? 24 : height / 20, common_gp,
			body, template);
	if (f)
		ret = ferror(f);
	if (!f || fclose(f) || ret)
		ret = fail(errno, "%s: %s", script, strerror(errno));
	for (i = 0; i < o->nr_formats && !ret; i++)
		ret = draw(stem, script, o, o->formats[i]);
	if (!o->keep || ret)
		unlink(script);
	else if (!o->quiet)
		printf("%s\n", script);
	free(script);
	free(stem);
	return ret;
}
