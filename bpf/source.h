/* SPDX-License-Identifier: GPL-2.0 */
/* The BPF counters as a source for the runner's counted pass. */
#ifndef PTELAB_BPF_SOURCE_H
#define PTELAB_BPF_SOURCE_H

#include "lib/counter.h"

extern const struct counter_source bpf_source;

#endif
