/* SPDX-License-Identifier: GPL-2.0 */
/* Parameters that several families use. */
#ifndef PTELAB_PARAMS_H
#define PTELAB_PARAMS_H

#include "bench/bench.h"
#include "lib/util.h"

/* The size of the folios that a benchmark works on. */
#define PARAM_FOLIO_OF(size, what) \
	{ .name = "folio", .type = PARAM_SIZE, .unit = "bytes", .def = size, \
	  .min = 4096, .max = 512 * MIB, .power_of_two = true, .help = what }
#define PARAM_FOLIO(size)	PARAM_FOLIO_OF(size, "size of the folios")

#endif
