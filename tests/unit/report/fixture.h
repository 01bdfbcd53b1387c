/* A finished run for the tests of the summary's forms. */
#pragma once

#include "report/summary.h"

/* Checks, groups, thresholds and one metric of each kind; static data, nothing to release. */
struct summary fixture_summary(enum summary_mode mode);
