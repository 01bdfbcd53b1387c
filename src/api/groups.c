/* /v1/groups: the tree of groups as a list, each before those in it. */
#include "api/api_internal.h"

#include <openssl/evp.h>

#include "base/check.h"

#define ID_BYTES 33
/* As deep as scripts may nest is as deep as this recurses; what is deeper is left out. */
#define DEPTH_MAX 1000

static void make_id(struct slice path, char out[ID_BYTES]) {
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    CHECK(EVP_Digest(path.ptr, path.len, digest, &len, EVP_md5(), NULL) == 1);
    for (unsigned i = 0; i < (ID_BYTES - 1) / 2; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[ID_BYTES - 1] = '\0';
}

static void put_string(struct json_writer *w, const char *key, const char *value) {
    json_key(w, key);
    json_cstr(w, value);
}

static void put_check(struct json_writer *w, const struct group_stats *g,
                      const struct check_stats *c) {
    char id[ID_BYTES];
    struct buf path;
    buf_init(&path, BUF_NO_CAP);
    buf_printf(&path, "%s::%s", g->path, c->name);
    make_id(buf_slice(&path), id);
    json_object_begin(w);
    put_string(w, "id", id);
    put_string(w, "path", buf_cstr(&path));
    put_string(w, "name", c->name);
    json_key(w, "passes");
    json_int(w, (int64_t)c->passes);
    json_key(w, "fails");
    json_int(w, (int64_t)c->fails);
    json_object_end(w);
    buf_release(&path);
}

static void put_attributes(struct json_writer *w, const struct group_stats *g) {
    json_key(w, "attributes");
    json_object_begin(w);
    put_string(w, "path", g->path);
    put_string(w, "name", g->name);
    json_key(w, "checks");
    if (g->n_checks > 0) {
        json_array_begin(w);
        for (size_t i = 0; i < g->n_checks; i++)
            put_check(w, g, &g->checks[i]);
        json_array_end(w);
    } else {
        json_null(w);
    }
    json_object_end(w);
}

static void put_reference(struct json_writer *w, const struct group_stats *g) {
    char id[ID_BYTES];
    make_id(slice_cstr(g->path), id);
    json_object_begin(w);
    put_string(w, "type", "groups");
    put_string(w, "id", id);
    json_object_end(w);
}

static void put_group(struct json_writer *w, const struct group_stats *g,
                      const struct group_stats *parent) {
    char id[ID_BYTES];
    make_id(slice_cstr(g->path), id);
    json_object_begin(w);
    put_string(w, "type", "groups");
    put_string(w, "id", id);
    put_attributes(w, g);
    json_key(w, "relationships");
    json_object_begin(w);
    json_key(w, "groups");
    json_object_begin(w);
    json_key(w, "data");
    json_array_begin(w);
    for (size_t i = 0; i < g->n_groups; i++)
        put_reference(w, g->groups[i]);
    json_array_end(w);
    json_object_end(w);
    json_key(w, "parent");
    json_object_begin(w);
    json_key(w, "data");
    if (parent != NULL)
        put_reference(w, parent);
    else
        json_null(w);
    json_object_end(w);
    json_object_end(w);
    json_object_end(w);
}

static void put_tree(struct json_writer *w, const struct group_stats *g,
                     const struct group_stats *parent, int depth) {
    put_group(w, g, parent);
    for (size_t i = 0; i < g->n_groups && depth < DEPTH_MAX; i++)
        put_tree(w, g->groups[i], g, depth + 1);
}

/* NULL when there is none. */
static const struct group_stats *find(const struct group_stats *g, const struct group_stats *parent,
                                      const char *wanted, const struct group_stats **out_parent,
                                      int depth) {
    char id[ID_BYTES];
    make_id(slice_cstr(g->path), id);
    *out_parent = parent;
    if (strcmp(id, wanted) == 0)
        return g;
    for (size_t i = 0; i < g->n_groups && depth < DEPTH_MAX; i++) {
        const struct group_stats *found = find(g->groups[i], g, wanted, out_parent, depth + 1);
        if (found != NULL)
            return found;
    }
    return NULL;
}

static const struct group_stats *root_group(struct run *run) {
    static const struct group_stats empty = {.name = "", .path = ""};
    if (run == NULL)
        return &empty;
    if (run->is_ticking)
        run_collect(run);
    const struct group_stats *root = aggregate_root_group(run->aggregate);
    return root != NULL ? root : &empty;
}

static void begin(struct json_writer *w, struct buf *body) {
    buf_init(body, BUF_NO_CAP);
    json_write_init(w, body, NULL, true);
    json_object_begin(w);
    json_key(w, "data");
}

static void finish(struct api_call *call, struct json_writer *w, struct buf *body) {
    json_object_end(w);
    api_answer(call, 200, API_JSON, body);
    buf_release(body);
}

void api_get_groups(struct api_call *call) {
    struct json_writer w;
    struct buf body;
    const struct group_stats *root = root_group(call->api->run);
    begin(&w, &body);
    json_array_begin(&w);
    put_tree(&w, root, NULL, 0);
    json_array_end(&w);
    finish(call, &w, &body);
}

void api_get_group(struct api_call *call) {
    struct json_writer w;
    struct buf body;
    const struct group_stats *parent;
    const struct group_stats *root = root_group(call->api->run);
    const struct group_stats *group = find(root, NULL, call->id, &parent, 0);
    if (group == NULL) {
        api_answer_error(call, 404, "Not Found", "No group with that ID was found");
        return;
    }
    begin(&w, &body);
    put_group(&w, group, parent);
    finish(call, &w, &body);
}
