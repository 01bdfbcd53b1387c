/* A kind of secret source: one file each. */
#pragma once

#include "js/secrets/secrets.h"

struct secret_source {
    const struct secret_kind *kind;
    void *state;
    struct map values; /* key -> char *: what was asked for already */
};

struct secret_kind {
    const char *name;
    bool is_slow; /* fetch yields */
    /* config: without name= and default. *out_state is released by free_state. */
    int (*open)(struct slice config, void **out_state, struct error *err);
    /* *out_value: heap string. */
    int (*fetch)(void *state, struct slice key, char **out_value, struct error *err);
    void (*free_state)(void *state); /* NULL is fine */
};

extern const struct secret_kind secret_kind_file, secret_kind_mock, secret_kind_url;
