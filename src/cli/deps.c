#include <stdio.h>
#include <stdlib.h>

#include "base/json_write.h"
#include "cli/load_test.h"

/* "*", ">=1.2"; good until the next call. */
static const char *constraint(const struct dependency *d, struct buf *text) {
    buf_reset(text);
    dependency_print(d, true, text);
    return buf_cstr(text);
}

static void print_json(const struct dependencies *d, const char **imports, size_t n) {
    struct json_writer w;
    struct buf out, text;
    buf_init(&out, BUF_NO_CAP);
    buf_init(&text, BUF_NO_CAP);
    json_write_init(&w, &out, "  ", false);
    json_object_begin(&w);
    json_key(&w, "buildDependencies");
    json_object_begin(&w);
    for (size_t i = 0; i < d->list.len; i++)
        json_pair_cstr(&w, d->list.ptr[i].name, constraint(&d->list.ptr[i], &text));
    json_object_end(&w);
    json_key(&w, "imports");
    json_array_begin(&w);
    for (size_t i = 0; i < n; i++)
        json_cstr(&w, imports[i]);
    json_array_end(&w);
    json_pair_bool(&w, "customBuildRequired", !dependencies_are_satisfied(d, true));
    json_object_end(&w);
    puts(buf_cstr(&out));
    buf_release(&out);
    buf_release(&text);
}

static void print_text(const struct dependencies *d, const char **imports, size_t n) {
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    printf("Build Dependencies:\n");
    for (size_t i = 0; i < d->list.len; i++)
        printf("  %s: %s\n", d->list.ptr[i].name, constraint(&d->list.ptr[i], &text));
    printf("\nImports:\n");
    for (size_t i = 0; i < n; i++)
        printf("  %s\n", imports[i]);
    printf("\nCustom Build Required: %s\n", dependencies_are_satisfied(d, true) ? "no" : "yes");
    buf_release(&text);
}

static int list(struct loaded_test *t, const struct flags *flags, struct failure *f) {
    const struct dependencies *d = &t->test.dependencies;
    size_t n;
    t->only_imports = true;
    int rc = load_script(t, flags, false, f);
    if (!d->is_collected)
        return rc;
    /* The load ended there, none of the script's code has run. */
    failure_release(f);
    *f = (struct failure){0};
    const char **imports = script_imports(t->test.script, &n);
    if (flags_bool(flags, "json", false))
        print_json(d, imports, n);
    else
        print_text(d, imports, n);
    free(imports);
    return 0;
}

static int run(const struct command *self, const struct flags *flags, int argc, char **argv) {
    (void)self;
    (void)argc;
    (void)argv;
    return run_on_fiber(flags, list);
}

static const struct flag_def own_flags[] = {
    {"json", 0, FLAG_BOOL, NULL, "print as JSON", NULL},
    {NULL},
};

const struct command cmd_deps = {
    .name = "deps",
    .usage = "deps FILE",
    .summary = "List what a test imports, and which versions it asks for",
    .about = "Lists k6's modules and the files that a test imports (not what it requires), the "
             "versions that its\n\"use k6 with …\" directives ask for, and whether this program "
             "has them. None of its code runs.",
    .min_args = 1,
    .max_args = 1,
    .args_error = "arg should either be \"-\", if reading script from stdin, or a path to a script "
                  "file",
    .flags = (const struct flag_def *const[]){own_flags, runtime_flag_defs, NULL},
    .run = run,
};
