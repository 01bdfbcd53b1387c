/* The HTML report: the web dashboard's page with the events of a whole run inside, one file that
 * needs no network. */
#pragma once

#include "base/buf.h"

/* The page as the dashboard's server gives it. */
struct slice report_page(void);
/* Appends the page with events (a JSON object {"event":NAME,"data":…} a line) in it. */
void report_html_write(struct slice events, struct buf *out);
/* Appends data as a gzip stream. */
void report_gzip(struct slice data, struct buf *out);
