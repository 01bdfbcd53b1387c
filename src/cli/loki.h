/* --log-output loki=URL,…: sends the log to Grafana Loki, from a thread of its own. What comes
 * faster than the limit is dropped, and said so there. */
#pragma once

#include "base/error.h"
#include "base/log.h"
#include "base/slice.h"

/* line: "loki" or "loki=URL,limit=100,level=info,pushPeriod=1s,msgMaxSize=1048576,
 * allowedLabels=[a,b],label.NAME=VALUE,header.NAME=VALUE,profile". Starts the thread and adds
 * itself as a sink of the log. KE_CONFIG with k6's words. */
int loki_start(struct slice line, struct error *err);
/* Sends what is left; before the process ends. Nothing when it was not started. */
void loki_stop(void);
