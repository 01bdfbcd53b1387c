#include "catalog.h"

#include "base/check.h"
#include "base/json_write.h"
#include "db.h"

static const char *const kind_names[KIND_COUNT] = {
    [KIND_OLIVE_OIL] = "olive_oil",
    [KIND_TOMATO] = "tomato",
    [KIND_MOZZARELLA] = "mozzarella",
    [KIND_TOPPING] = "topping",
};

enum ingredient_kind catalog_kind(const char *name) {
    int kind = 0;
    while (kind < KIND_COUNT && strcmp(kind_names[kind], name) != 0)
        kind++;
    return (enum ingredient_kind)kind;
}

static struct slice keep(struct catalog *c, struct slice text) {
    return slice_from(arena_strndup(&c->arena, text.ptr, text.len), text.len);
}

static void write_item(struct json_writer *w, int64_t id, struct slice name, int64_t calories) {
    json_object_begin(w);
    json_key(w, "ID");
    json_int(w, id);
    json_key(w, "name");
    json_string(w, name);
    json_key(w, "caloriesPerSlice");
    json_int(w, calories);
}

static struct slice dough_json(struct catalog *c, const struct dough *d) {
    struct buf text;
    struct json_writer w;
    buf_init(&text, BUF_NO_CAP);
    json_write_init(&w, &text, NULL, true);
    write_item(&w, d->id, d->name, d->calories);
    json_object_end(&w);
    struct slice json = keep(c, buf_slice(&text));
    buf_release(&text);
    return json;
}

static struct slice ingredient_json(struct catalog *c, const struct ingredient *i) {
    struct buf text;
    struct json_writer w;
    buf_init(&text, BUF_NO_CAP);
    json_write_init(&w, &text, NULL, true);
    write_item(&w, i->id, i->name, i->calories);
    json_key(&w, "vegetarian");
    json_bool(&w, i->is_vegetarian);
    json_object_end(&w);
    struct slice json = keep(c, buf_slice(&text));
    buf_release(&text);
    return json;
}

/* Reads the current row of a statement into item number `index` of an array. */
typedef void (*row_reader)(struct catalog *c, struct db_statement *row, void *array, size_t index);

static void read_dough(struct catalog *c, struct db_statement *row, void *array, size_t index) {
    struct dough *d = (struct dough *)array + index;
    d->id = db_column_int(row, 0);
    d->name = keep(c, db_column_text(row, 1));
    d->calories = db_column_int(row, 2);
    d->json = dough_json(c, d);
}

static void read_ingredient(struct catalog *c, struct db_statement *row, void *array,
                            size_t index) {
    struct ingredient *i = (struct ingredient *)array + index;
    i->id = db_column_int(row, 0);
    i->kind = catalog_kind(keep(c, db_column_text(row, 1)).ptr);
    i->name = keep(c, db_column_text(row, 2));
    i->calories = db_column_int(row, 3);
    i->is_vegetarian = db_column_int(row, 4) != 0;
    i->json = ingredient_json(c, i);
}

static void read_word(struct catalog *c, struct db_statement *row, void *array, size_t index) {
    ((struct slice *)array)[index] = keep(c, db_column_text(row, 0));
}

/* All rows of a query. *out_array is in the arena. */
static int read_rows(struct catalog *c, struct db *db, const char *sql, row_reader read,
                     size_t item_bytes, void **out_array, size_t *out_count, struct error *err) {
    struct db_statement *row;
    int rc = db_prepare(db, sql, &row, err);
    if (rc != 0)
        return rc;
    size_t count = 0;
    while ((rc = db_step(row)) == DB_ROW)
        count++;
    db_reset(row);
    char *array = arena_alloc(&c->arena, (count + 1) * item_bytes);
    size_t index = 0;
    for (; index < count && (rc = db_step(row)) == DB_ROW; index++)
        read(c, row, array, index);
    db_finalize(row);
    if (rc < 0)
        return error_set(err, KE_IO, "database: cannot read the catalog");
    *out_array = array;
    *out_count = index;
    return 0;
}

static int read_words(struct catalog *c, struct db *db, const char *sql, struct word_list *out,
                      struct error *err) {
    void *words = NULL;
    int rc = read_rows(c, db, sql, read_word, sizeof *out->words, &words, &out->count, err);
    out->words = words;
    return rc;
}

static int read_all(struct catalog *c, struct db *db, struct error *err) {
    void *array = NULL;
    int rc = read_rows(c, db, "SELECT id, name, calories FROM doughs ORDER BY id", read_dough,
                       sizeof *c->doughs, &array, &c->dough_count, err);
    c->doughs = array;
    if (rc == 0)
        rc = read_rows(
            c, db, "SELECT id, kind, name, calories, is_vegetarian FROM ingredients ORDER BY id",
            read_ingredient, sizeof *c->ingredients, &array, &c->ingredient_count, err);
    c->ingredients = array;
    if (rc == 0)
        rc = read_words(c, db, "SELECT name FROM tools ORDER BY id", &c->tools, err);
    if (rc == 0)
        rc = read_words(c, db, "SELECT text FROM quotes ORDER BY id", &c->quotes, err);
    if (rc == 0)
        rc = read_words(c, db, "SELECT name FROM classical_names ORDER BY id", &c->classical_names,
                        err);
    if (rc == 0)
        rc = read_words(c, db, "SELECT name FROM adjectives ORDER BY id", &c->adjectives, err);
    if (rc == 0 && (c->dough_count == 0 || c->tools.count == 0))
        rc = error_set(err, KE_IO, "database: no doughs or no tools");
    if (rc == 0 && c->ingredient_count > CATALOG_MAX_INGREDIENTS)
        rc = error_set(err, KE_IO, "database: more than %d ingredients", CATALOG_MAX_INGREDIENTS);
    return rc;
}

int catalog_load(struct catalog *c, struct db *db, struct error *err) {
    *c = (struct catalog){0};
    arena_init(&c->arena);
    db_lock(db);
    int rc = read_all(c, db, err);
    db_unlock(db);
    if (rc != 0)
        catalog_release(c);
    return rc;
}

void catalog_release(struct catalog *c) {
    arena_release(&c->arena);
}

int catalog_dough_index(const struct catalog *c, int64_t id) {
    for (size_t i = 0; i < c->dough_count; i++) {
        if (c->doughs[i].id == id)
            return (int)i;
    }
    return -1;
}

int catalog_ingredient_index(const struct catalog *c, int64_t id) {
    for (size_t i = 0; i < c->ingredient_count; i++) {
        if (c->ingredients[i].id == id)
            return (int)i;
    }
    return -1;
}

int catalog_tool_index(const struct catalog *c, struct slice name) {
    for (size_t i = 0; i < c->tools.count; i++) {
        if (slice_eq(c->tools.words[i], name))
            return (int)i;
    }
    return -1;
}

void catalog_write_words(struct buf *out, const char *key, const struct word_list *list) {
    struct json_writer w;
    json_write_init(&w, out, NULL, true);
    json_object_begin(&w);
    json_key(&w, key);
    json_array_begin(&w);
    for (size_t i = 0; i < list->count; i++)
        json_string(&w, list->words[i]);
    json_array_end(&w);
    json_object_end(&w);
    buf_append_char(out, '\n');
}
