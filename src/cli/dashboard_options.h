/* How the web dashboard is wanted: K6_WEB_DASHBOARD_* variables, and over them the keys of
 * `-o web-dashboard=port=5666&period=2s`. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"
#include "base/vec.h"

#define DASHBOARD_PORT 5665

struct dashboard_options {
    char *host;
    int port; /* 0 = any, negative = no server */
    bool is_default_port;
    int64_t period_ns;               /* 0 = chosen by the test's length */
    bool is_opened;                  /* in a browser */
    char *export_path, *record_path; /* "" = none */
    VEC(struct slice) tags;          /* into tag_text */
    VEC(char *) tag_text;
    char *token; /* NULL = made up */
};

/* query: what follows "web-dashboard=", or "". KE_CONFIG with k6's words. Release in each case. */
int dashboard_options_init(struct dashboard_options *o, struct slice query, struct error *err);
void dashboard_options_release(struct dashboard_options *o);
