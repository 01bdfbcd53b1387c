/* What a client has to know of a command before it sends it: which of its arguments is a key (and
 * so which node of a cluster it goes to), and how its connection may be shared. */
#pragma once

#include "base/slice.h"

#define REDIS_SLOTS 16384
#define REDIS_NO_SLOT (-1)

/* The cluster's slot of a key: CRC16 of what stands between the first { and the next }, when that
 * is something, else of all. */
int redis_slot(struct slice key);
/* CRC-16/XMODEM. */
uint16_t redis_crc16(struct slice s);

enum redis_split { REDIS_WHOLE, REDIS_SPLIT_SUM, REDIS_SPLIT_VALUES, REDIS_SPLIT_OK };

struct redis_traits {
    int key_at;       /* argument (the name is 0) that is its first key; 0 = it has none */
    bool is_read;     /* changes nothing: a replica may answer */
    bool is_blocking; /* may make the others of its connection wait */
    bool is_one_way;  /* what its connection does afterwards is no answers any more */
    bool is_all;      /* of a cluster's every shard; split says how the answers are joined */
    /* Its keys may lie in several slots of a cluster: how the answers of the parts are joined. */
    enum redis_split split;
    int key_step; /* arguments a key, with split */
};

/* args[0] is the name, in any case. */
void redis_traits_of(const struct slice *args, size_t n_args, struct redis_traits *out);
