/* `collectors` of the config file: settings of outputs as JSON. Each stands for the environment
 * variable of the same meaning, which is stronger: collectors.influxdb.pushInterval is
 * K6_INFLUXDB_PUSH_INTERVAL. So outputs read one kind of setting only. */
#pragma once

#include <stddef.h>

#include "base/arena.h"

struct json_t;

struct collectors {
    struct collector_setting {
        const char *variable, *value;
    } * items;
    size_t len;
};

/* object: the value of `collectors`, NULL or anything else = none. What has no variable, as the
 * settings of outputs that are not known, is passed over. All memory is the arena's. */
void collectors_read(struct collectors *c, struct arena *a, const struct json_t *object);
/* NULL when it is not set. */
const char *collectors_get(const struct collectors *c, const char *variable);
