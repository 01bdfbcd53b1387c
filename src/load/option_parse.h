/* Values of options that need more than a number or a word: lists in one flag, DNS settings, host
 * overrides, address pools. Each parser returns 0, or KE_CONFIG with k6's words in *err. */
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "load/options.h"

/* "a,b,c"; no items for empty text. Sets is_set. */
void option_list_parse(struct arena *a, struct slice text, struct opt_list *out);
/* Go's encoding/csv of one line, as pflag's string slices use it: quotes protect commas. Appends to
 * *out. */
int option_csv_append(struct arena *a, struct slice text, struct opt_list *out, struct error *err);
void option_list_append(struct arena *a, struct opt_list *list, struct slice item);
/* Keeps the items in order of keys; a key that is there already gets the new value. */
void option_map_set(struct arena *a, struct opt_map *map, struct slice key, struct slice value);
const char *option_map_get(const struct opt_map *map, const char *key); /* NULL when absent */

/* "ttl=1m,select=first,policy=any" */
int option_dns_parse(struct arena *a, struct slice text, struct opt_dns *out, struct error *err);
int option_dns_select_check(struct slice text, struct error *err);
int option_dns_policy_check(struct slice text, struct error *err);
/* Nanoseconds of a validated ttl: 0 = no cache, NEVER_NS = for ever. `invalid DNS TTL: X`. */
int option_dns_ttl(const char *text, int64_t *out_ns, struct error *err);

/* "10s:5" */
int option_stage_parse(struct slice text, struct stage *out, struct error *err);
/* "10.1.2.3/8" -> "10.0.0.0/8" */
int option_cidr_parse(struct arena *a, struct slice text, const char **out, struct error *err);
/* One pattern of blockHostnames (is_host false) or a key of hosts (is_host true: a port may
 * follow). */
int option_hostname_check(struct slice text, bool is_host, struct error *err);
/* One entry of hosts, key lower-cased. */
int option_host_add(struct arena *a, struct opt_map *hosts, struct slice key, struct slice value,
                    struct error *err);
/* Names with k6's spelling; 0 when unknown. */
int option_tls_version(struct slice name);
const char *option_tls_version_name(int version);
bool option_is_cipher_suite(struct slice name);
/* Unknown names are dropped. */
void option_system_tags(const struct opt_list *names, struct opt_system_tags *out);

/* A pool of local addresses: "10.0.0.1,10.0.0.8-10.0.0.20,fd:1::0/120". */
struct ip_pool {
    struct ip_block {
        int family;
        uint8_t first[16];
        uint64_t count; /* capped at 2^63 */
    } * blocks;
    size_t len;
    uint64_t count;
};
int option_ip_pool_parse(struct arena *a, struct slice text, struct ip_pool *out,
                         struct error *err);
/* Address number index mod count. */
void option_ip_pool_get(const struct ip_pool *pool, uint64_t index, struct sockaddr_storage *out);
