/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The job for an atlas: every benchmark, to record which kernel code each point
 * runs before a patch is known.
 */
#ifndef PTELAB_ATLAS_JOB_H
#define PTELAB_ATLAS_JOB_H

#include <stdio.h>

/* Prints the job, a command for each registered benchmark. */
void atlas_job(FILE *f);

#endif
