// SPDX-License-Identifier: GPL-2.0
/*
 * make-run: writes a made-up run for the shell tests.
 *
 *	make-run -o DIR [-k RELEASE] [-B BUILDID] [-M MODE] [-n BOOTS]
 *		 [-P PROCESSES] [-s FIRSTSEED] [-e key=value]... [-c CMDLINE]
 *		 [-t] 'POINT'...
 *
 * A POINT is described in fixture.h; -t leaves the last file without a footer.
 */
#include <unistd.h>

#include "tests/analysis/fixture.h"

int main(int argc, char **argv)
{
	static const char *settings[64];
	struct fixture f = {
		.release = "6.12.0", .build_id = "0123456789abcdef",
		.mode = "exact", .boots = 1, .processes = 1, .first_seed = 1,
		.settings = settings, .cmdline = "console=ttyAMA0 nokaslr",
	};
	int opt;

	while ((opt = getopt(argc, argv, "o:k:B:M:n:P:s:e:c:t")) != -1) {
		switch (opt) {
		case 'o':
			f.dir = optarg;
			break;
		case 'k':
			f.release = optarg;
			break;
		case 'B':
			f.build_id = optarg;
			break;
		case 'M':
			f.mode = optarg;
			break;
		case 'n':
			f.boots = atoi(optarg);
			break;
		case 'P':
			f.processes = atoi(optarg);
			break;
		case 's':
			f.first_seed = atoi(optarg);
			break;
		case 'e':
			settings[f.nr_settings++ % 64] = optarg;
			break;
		case 'c':
			f.cmdline = optarg;
			break;
		case 't':
			f.truncated = 1;
			break;
		default:
			return 2;
		}
	}
	f.points = (const char *const *)argv + optind;
	f.nr_points = argc - optind;
	if (!f.dir || fixture_write(&f)) {
		fprintf(stderr, "make-run: %s\n", fail_text());
		return 2;
	}
	return 0;
}
