#include "redis/redis_command.h"

#include <ctype.h>

#include "base/check.h"

/* ---------------------------------------------------------------- slots */

uint16_t redis_crc16(struct slice s) {
    static const uint16_t nibbles[16] = {0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5,
                                         0x60c6, 0x70e7, 0x8108, 0x9129, 0xa14a, 0xb16b,
                                         0xc18c, 0xd1ad, 0xe1ce, 0xf1ef};
    unsigned crc = 0;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t byte = (uint8_t)s.ptr[i];
        crc = (crc << 4 ^ nibbles[(crc >> 12 ^ byte >> 4) & 15]) & 0xffff;
        crc = (crc << 4 ^ nibbles[(crc >> 12 ^ byte) & 15]) & 0xffff;
    }
    return (uint16_t)crc;
}

int redis_slot(struct slice key) {
    const char *open = key.len ? memchr(key.ptr, '{', key.len) : NULL;
    if (open) {
        size_t behind = key.len - (size_t)(open + 1 - key.ptr);
        const char *close = behind ? memchr(open + 1, '}', behind) : NULL;
        if (close && close > open + 1)
            key = slice_from(open + 1, (size_t)(close - open - 1));
    }
    return redis_crc16(key) % REDIS_SLOTS;
}

/* ---------------------------------------------------------------- traits */

enum trait {
    KEYLESS = 1,
    READ = 2,
    BLOCKING = 4,
    ONE_WAY = 8,
    ALL = 16,
    SUM = 32,
    VALUES = 64,
    OK = 128,
    KEY_2 = 256,    /* the second argument is the key */
    KEY_3 = 512,    /* EVAL: the third, when the second says that there are keys */
    STREAMS = 1024, /* behind the word STREAMS */
    BLOCKS = 2048,  /* blocking when the word BLOCK is there */
    PAIRS = 4096,   /* keys and values by turns */
};

/* Sorted by name. What is not here writes, and has its key first. */
static const struct row {
    const char *name;
    unsigned traits;
} table[] = {
    {"acl", KEYLESS},
    {"asking", KEYLESS},
    {"auth", KEYLESS},
    {"bgrewriteaof", KEYLESS},
    {"bgsave", KEYLESS},
    {"bitcount", READ},
    {"bitfield_ro", READ},
    {"bitop", KEY_2},
    {"bitpos", READ},
    {"blmove", BLOCKING},
    {"blmpop", BLOCKING | KEY_3},
    {"blpop", BLOCKING},
    {"brpop", BLOCKING},
    {"brpoplpush", BLOCKING},
    {"bzmpop", BLOCKING | KEY_3},
    {"bzpopmax", BLOCKING},
    {"bzpopmin", BLOCKING},
    {"client", KEYLESS},
    {"cluster", KEYLESS},
    {"command", KEYLESS},
    {"config", KEYLESS},
    {"dbsize", KEYLESS | READ | ALL | SUM},
    {"debug", KEYLESS},
    {"del", SUM},
    {"discard", KEYLESS},
    {"dump", READ},
    {"echo", KEYLESS},
    {"eval", KEY_3},
    {"eval_ro", KEY_3 | READ},
    {"evalsha", KEY_3},
    {"evalsha_ro", KEY_3 | READ},
    {"exec", KEYLESS},
    {"exists", READ | SUM},
    {"expiretime", READ},
    {"failover", KEYLESS},
    {"fcall", KEY_3},
    {"fcall_ro", KEY_3 | READ},
    {"flushall", KEYLESS | ALL | OK},
    {"flushdb", KEYLESS | ALL | OK},
    {"function", KEYLESS},
    {"geodist", READ},
    {"geohash", READ},
    {"geopos", READ},
    {"georadius_ro", READ},
    {"georadiusbymember_ro", READ},
    {"geosearch", READ},
    {"get", READ},
    {"getbit", READ},
    {"getrange", READ},
    {"hello", KEYLESS},
    {"hexists", READ},
    {"hget", READ},
    {"hgetall", READ},
    {"hkeys", READ},
    {"hlen", READ},
    {"hmget", READ},
    {"hrandfield", READ},
    {"hscan", READ},
    {"hstrlen", READ},
    {"hvals", READ},
    {"info", KEYLESS},
    {"keys", KEYLESS | READ | ALL | VALUES},
    {"lastsave", KEYLESS},
    {"latency", KEYLESS},
    {"lcs", READ},
    {"lindex", READ},
    {"llen", READ},
    {"lmpop", KEY_2},
    {"lolwut", KEYLESS},
    {"lpos", READ},
    {"lrange", READ},
    {"memory", KEY_2 | READ},
    {"mget", READ | VALUES},
    {"migrate", KEY_3},
    {"module", KEYLESS},
    {"monitor", KEYLESS | ONE_WAY},
    {"mset", OK | PAIRS},
    {"multi", KEYLESS},
    {"object", KEY_2 | READ},
    {"pexpiretime", READ},
    {"pfcount", READ},
    {"ping", KEYLESS},
    {"psubscribe", KEYLESS | ONE_WAY},
    {"psync", KEYLESS | ONE_WAY},
    {"pttl", READ},
    {"pubsub", KEYLESS},
    {"punsubscribe", KEYLESS | ONE_WAY},
    {"quit", KEYLESS | ONE_WAY},
    {"randomkey", KEYLESS | READ},
    {"readonly", KEYLESS},
    {"readwrite", KEYLESS},
    {"replicaof", KEYLESS},
    {"reset", KEYLESS},
    {"role", KEYLESS},
    {"save", KEYLESS},
    {"scan", KEYLESS | READ},
    {"scard", READ},
    {"script", KEYLESS},
    {"sdiff", READ},
    {"select", KEYLESS},
    {"shutdown", KEYLESS},
    {"sinter", READ},
    {"sintercard", KEY_2 | READ},
    {"sismember", READ},
    {"slaveof", KEYLESS},
    {"slowlog", KEYLESS},
    {"smembers", READ},
    {"smismember", READ},
    {"sort_ro", READ},
    {"srandmember", READ},
    {"sscan", READ},
    {"ssubscribe", ONE_WAY},
    {"strlen", READ},
    {"subscribe", KEYLESS | ONE_WAY},
    {"substr", READ},
    {"sunion", READ},
    {"sunsubscribe", ONE_WAY},
    {"swapdb", KEYLESS},
    {"sync", KEYLESS | ONE_WAY},
    {"time", KEYLESS},
    {"touch", READ | SUM},
    {"ttl", READ},
    {"type", READ},
    {"unlink", SUM},
    {"unsubscribe", KEYLESS | ONE_WAY},
    {"unwatch", KEYLESS},
    {"wait", KEYLESS | BLOCKING},
    {"waitaof", KEYLESS | BLOCKING},
    {"xgroup", KEY_2},
    {"xinfo", KEY_2 | READ},
    {"xlen", READ},
    {"xpending", READ},
    {"xrange", READ},
    {"xread", STREAMS | BLOCKS | READ},
    {"xreadgroup", STREAMS | BLOCKS},
    {"xrevrange", READ},
    {"zcard", READ},
    {"zcount", READ},
    {"zdiff", KEY_2 | READ},
    {"zinter", KEY_2 | READ},
    {"zintercard", KEY_2 | READ},
    {"zlexcount", READ},
    {"zmpop", KEY_2},
    {"zmscore", READ},
    {"zrandmember", READ},
    {"zrange", READ},
    {"zrangebylex", READ},
    {"zrangebyscore", READ},
    {"zrank", READ},
    {"zrevrange", READ},
    {"zrevrangebylex", READ},
    {"zrevrangebyscore", READ},
    {"zrevrank", READ},
    {"zscan", READ},
    {"zscore", READ},
    {"zunion", KEY_2 | READ},
};

static int compare(const char *name, struct slice s) {
    for (size_t i = 0; i < s.len; i++) {
        int d = (unsigned char)name[i] - tolower((unsigned char)s.ptr[i]);
        if (d || !name[i])
            return d ? d : -1;
    }
    return (unsigned char)name[s.len];
}

static unsigned traits_find(struct slice name) {
    size_t low = 0, high = countof(table);
    while (low < high) {
        size_t mid = (low + high) / 2;
        int d = compare(table[mid].name, name);
        if (d == 0)
            return table[mid].traits;
        if (d < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return 0;
}

/* The argument behind a word; 0 = the word is not there. */
static int behind(const struct slice *args, size_t n_args, struct slice word) {
    for (size_t i = 1; i + 1 < n_args; i++) {
        if (slice_ieq(args[i], word))
            return (int)i + 1;
    }
    return 0;
}

static int key_position(unsigned traits, const struct slice *args, size_t n_args) {
    int at = 1;
    if (traits & KEYLESS)
        return 0;
    if (traits & STREAMS)
        at = behind(args, n_args, SLICE("STREAMS"));
    else if (traits & KEY_2)
        at = 2;
    else if (traits & KEY_3)
        at = n_args > 2 && slice_eq(args[2], SLICE("0")) ? 0 : 3;
    return (size_t)at < n_args ? at : 0;
}

void redis_traits_of(const struct slice *args, size_t n_args, struct redis_traits *out) {
    unsigned traits = traits_find(args[0]);
    bool may_block = traits & BLOCKS && behind(args, n_args, SLICE("BLOCK")) > 0;
    *out = (struct redis_traits){
        .key_at = key_position(traits, args, n_args),
        .is_read = traits & READ,
        .is_blocking = traits & BLOCKING || may_block,
        .is_one_way = traits & ONE_WAY,
        .is_all = traits & ALL,
        .split = traits & SUM      ? REDIS_SPLIT_SUM
                 : traits & VALUES ? REDIS_SPLIT_VALUES
                 : traits & OK     ? REDIS_SPLIT_OK
                                   : REDIS_WHOLE,
        .key_step = traits & PAIRS ? 2 : 1,
    };
}
