#include "metrics/group_tree.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/vec.h"

struct check_node {
    struct check_stats stats;
    int64_t first_ns;
};

/* Public arrays are filled from the vectors when somebody looks, sorted by first sight: shards are
 * merged in any order. */
struct group_node {
    struct group_stats stats;
    int64_t first_ns;
    VEC(struct group_node *) groups;
    VEC(struct check_node *) checks;
};

struct group_tree {
    struct map groups; /* by path */
    struct map checks; /* by path, NUL, name */
    struct group_node *root;
    bool is_stale;
};

static struct group_node *new_group(struct group_tree *t, struct slice path, struct slice name,
                                    int64_t first_ns) {
    struct group_node *g = xcalloc(1, sizeof *g);
    g->stats.path = slice_dup(path);
    g->stats.name = slice_dup(name);
    g->first_ns = first_ns;
    map_set(&t->groups, path, g);
    return g;
}

struct group_tree *group_tree_new(void) {
    struct group_tree *t = xcalloc(1, sizeof *t);
    map_init(&t->groups);
    map_init(&t->checks);
    t->root = new_group(t, SLICE(""), SLICE(""), 0);
    return t;
}

void group_tree_free(struct group_tree *t) {
    struct map_entry *e;
    for (size_t i = 0; (e = map_next(&t->checks, &i));) {
        struct check_node *c = e->value;
        free((char *)c->stats.name);
        free(c);
    }
    for (size_t i = 0; (e = map_next(&t->groups, &i));) {
        struct group_node *g = e->value;
        free((char *)g->stats.path);
        free((char *)g->stats.name);
        free(g->stats.groups);
        free(g->stats.checks);
        vec_release(&g->groups);
        vec_release(&g->checks);
        free(g);
    }
    map_release(&t->groups);
    map_release(&t->checks);
    free(t);
}

/* Last "::" of a path, or its end. */
static size_t parent_len(struct slice path) {
    for (size_t i = path.len; i >= 2; i--)
        if (path.ptr[i - 2] == ':' && path.ptr[i - 1] == ':')
            return i - 2;
    return path.len;
}

static void seen_at(struct group_node *g, int64_t first_ns) {
    if (first_ns < g->first_ns)
        g->first_ns = first_ns;
}

/* Makes the group and what is above it. A path is "" or "::a::b". */
static struct group_node *group_for(struct group_tree *t, struct slice path, int64_t first_ns) {
    struct slice missing[64];
    size_t n = 0;
    struct group_node *g;
    while (!(g = map_get(&t->groups, path)) && n < countof(missing)) {
        missing[n++] = path;
        size_t len = parent_len(path);
        path.len = len < path.len ? len : 0;
    }
    if (!g)
        g = t->root;
    if (g != t->root)
        seen_at(g, first_ns);
    while (n > 0) {
        struct slice full = missing[--n];
        size_t len = parent_len(full);
        struct slice name =
            len < full.len ? slice_from(full.ptr + len + 2, full.len - len - 2) : full;
        struct group_node *child = new_group(t, full, name, first_ns);
        vec_push(&g->groups, child);
        g = child;
    }
    return g;
}

static struct check_node *check_for(struct group_tree *t, const struct noted *n) {
    size_t len = n->path.len + 1 + n->name.len;
    char *key = xcalloc(1, len + 1);
    if (n->path.len)
        memcpy(key, n->path.ptr, n->path.len);
    if (n->name.len)
        memcpy(key + n->path.len + 1, n->name.ptr, n->name.len);
    struct check_node *c = map_get(&t->checks, slice_from(key, len));
    if (!c) {
        struct group_node *g = group_for(t, n->path, n->first_ns);
        c = xcalloc(1, sizeof *c);
        c->stats.name = slice_dup(n->name);
        c->first_ns = n->first_ns;
        map_set(&t->checks, slice_from(key, len), c);
        vec_push(&g->checks, c);
    } else if (n->first_ns < c->first_ns) {
        c->first_ns = n->first_ns;
    }
    free(key);
    return c;
}

void group_tree_add(struct group_tree *t, const struct noted *n) {
    t->is_stale = true;
    if (!n->name.ptr) {
        group_for(t, n->path, n->first_ns);
        return;
    }
    struct check_node *c = check_for(t, n);
    c->stats.passes += n->passes;
    c->stats.fails += n->fails;
}

static int compare_ns(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

static int compare_groups(const void *a, const void *b) {
    return compare_ns((*(struct group_node *const *)a)->first_ns,
                      (*(struct group_node *const *)b)->first_ns);
}

static int compare_checks(const void *a, const void *b) {
    return compare_ns((*(struct check_node *const *)a)->first_ns,
                      (*(struct check_node *const *)b)->first_ns);
}

static void refresh(struct group_node *g) {
    if (g->groups.len)
        qsort(g->groups.ptr, g->groups.len, sizeof *g->groups.ptr, compare_groups);
    if (g->checks.len)
        qsort(g->checks.ptr, g->checks.len, sizeof *g->checks.ptr, compare_checks);
    struct group_stats *s = &g->stats;
    s->n_groups = g->groups.len;
    s->n_checks = g->checks.len;
    s->groups = xrealloc(s->groups, (s->n_groups + 1) * sizeof(*s->groups));
    s->checks = xrealloc(s->checks, (s->n_checks + 1) * sizeof(*s->checks));
    for (size_t i = 0; i < s->n_groups; i++)
        s->groups[i] = &g->groups.ptr[i]->stats;
    for (size_t i = 0; i < s->n_checks; i++) {
        s->checks[i] = g->checks.ptr[i]->stats;
        s->checks[i].first_ns = g->checks.ptr[i]->first_ns;
    }
}

const struct group_stats *group_tree_root(struct group_tree *t) {
    struct map_entry *e;
    if (t->is_stale)
        for (size_t i = 0; (e = map_next(&t->groups, &i));)
            refresh(e->value);
    t->is_stale = false;
    return &t->root->stats;
}
