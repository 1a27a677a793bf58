// SPDX-License-Identifier: GPL-2.0
/* See retry_sites.h. */
#include "retry_sites.h"

#include <errno.h>

int retry_sites_running(const char *function, struct retry_sites *sites,
			FILE *explain)
{
	(void)explain;
	sites->nr = 0;
	snprintf(sites->why_not, sizeof(sites->why_not),
		 "where %s starts again is not looked for yet", function);
	return -ENOSYS;
}

int retry_sites_elf(const char *path, const char *function,
		    struct retry_sites *sites, FILE *explain)
{
	(void)path;
	return retry_sites_running(function, sites, explain);
}
