/* Messages of the Chrome DevTools Protocol, read lazily: a look at the top level of the JSON object
 * tells whom a message is for, its payload stays text. So an event that nobody listens to costs a
 * scan of its first bytes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct cdp_message {
    int64_t id; /* of the command that this answers; 0 for events */
    struct slice method, session;
    struct slice payload; /* JSON: params of an event, result or error of an answer; may be empty */
    bool is_error;
};

/* Fills *out with views into json. False when it is no JSON object; what lies in nested values is
 * not checked. */
bool cdp_message_read(struct slice json, struct cdp_message *out);
/* The method of an event, when it is the first member as Chromium writes it; empty otherwise. */
struct slice cdp_message_method(struct slice json);
