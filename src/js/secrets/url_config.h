/* Configuration of a secret source of type url: defaults, environment (K6_SECRET_SOURCE_URL_*), a
 * JSON file ("config=PATH"), and the list on the command line, each over the one before. */
#pragma once

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"
#include "http/header.h"

struct url_config {
    char *url_template, *method, *response_path;
    VEC(struct http_header) headers; /* heap strings */
    int64_t timeout_ns, backoff_ns;
    int64_t per_minute, burst, max_retries;
};

/* KE_CONFIG with k6's words; release in each case. */
int url_config_read(struct url_config *c, struct slice list, struct error *err);
void url_config_release(struct url_config *c);
/* Decodes one JSON string, quotes included. 0 or KE_INVALID. */
int url_json_string(const char *json, struct buf *out);
