#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/compat.h"
#include "cli/command.h"

#define TEMPLATE_MAX_BYTES (4 * 1024 * 1024)

/* {{cloud}} stands for the cloud block of --project-id. */
static const char minimal[] =
    "import http from 'k6/http';\n"
    "import { check, sleep } from 'k6';\n"
    "\n"
    "// Where to find the application: kiln playground starts it on this address.\n"
    "const BASE_URL = __ENV.BASE_URL || 'http://localhost:3333';\n"
    "\n"
    "export const options = {\n"
    "  vus: 10,\n"
    "  duration: '30s',{{cloud}}\n"
    "};\n"
    "\n"
    "export default function () {\n"
    "  const res = http.get(BASE_URL);\n"
    "  check(res, { 'status is 200': (r) => r.status === 200 });\n"
    "  sleep(1);\n"
    "}\n";

static const char protocol[] =
    "import http from 'k6/http';\n"
    "import exec from 'k6/execution';\n"
    "import { check, sleep } from 'k6';\n"
    "\n"
    "const BASE_URL = __ENV.BASE_URL || 'http://localhost:3333';\n"
    "\n"
    "export const options = {\n"
    "  // Ramp up, hold, ramp down.\n"
    "  stages: [\n"
    "    { duration: '10s', target: 5 },\n"
    "    { duration: '20s', target: 10 },\n"
    "    { duration: '1s', target: 0 },\n"
    "  ],\n"
    "  // What counts as a success.\n"
    "  thresholds: {\n"
    "    http_req_failed: ['rate<0.01'],\n"
    "    http_req_duration: ['p(95)<500', 'p(99)<1000'],\n"
    "  },{{cloud}}\n"
    "};\n"
    "\n"
    "export function setup() {\n"
    "  const res = http.get(BASE_URL);\n"
    "  if (res.status !== 200) {\n"
    "    exec.test.abort(`the application answers ${res.status}, not starting the test`);\n"
    "  }\n"
    "}\n"
    "\n"
    "export default function () {\n"
    "  const wishes = {\n"
    "    maxCaloriesPerSlice: 600,\n"
    "    mustBeVegetarian: true,\n"
    "    minNumberOfToppings: 2,\n"
    "    maxNumberOfToppings: 5,\n"
    "  };\n"
    "  const res = http.post(`${BASE_URL}/api/pizza`, JSON.stringify(wishes), {\n"
    "    headers: { 'Content-Type': 'application/json', Authorization: 'token abcdef0123456789' },\n"
    "  });\n"
    "  if (check(res, { 'status is 200': (r) => r.status === 200 })) {\n"
    "    console.log(`recommended: ${res.json('pizza.name')}`);\n"
    "  }\n"
    "  sleep(1);\n"
    "}\n";

static const char browser[] =
    "import { browser } from 'k6/browser';\n"
    "import { check } from 'k6';\n"
    "\n"
    "const BASE_URL = __ENV.BASE_URL || 'http://localhost:3333';\n"
    "\n"
    "export const options = {\n"
    "  scenarios: {\n"
    "    ui: {\n"
    "      executor: 'shared-iterations',\n"
    "      vus: 1,\n"
    "      iterations: 1,\n"
    "      options: { browser: { type: 'chromium' } },\n"
    "    },\n"
    "  },{{cloud}}\n"
    "};\n"
    "\n"
    "export default async function () {\n"
    "  const page = await browser.newPage();\n"
    "  try {\n"
    "    await page.goto(BASE_URL);\n"
    "    await page.locator('//button[. = \"Pizza, Please!\"]').click();\n"
    "    const text = await page.locator('div#recommendations').textContent();\n"
    "    check(text, { 'a pizza is recommended': (t) => t !== '' });\n"
    "  } finally {\n"
    "    await page.close();\n"
    "  }\n"
    "}\n";

static const struct {
    const char *name, *text;
} templates[] = {{"minimal", minimal}, {"protocol", protocol}, {"browser", browser}};

static char *read_template(const char *path, struct error *err) {
    FILE *file = fopen(path, "rb");
    struct buf text;
    char chunk[4096];
    size_t n;
    if (file == NULL) {
        error_set(err, KE_NOT_FOUND, "failed to read template file %s: open %s: %s", path, path,
                  errno == ENOENT ? "no such file or directory" : strerror(errno));
        return NULL;
    }
    buf_init(&text, TEMPLATE_MAX_BYTES);
    while ((n = fread(chunk, 1, sizeof chunk, file)) > 0 && buf_append(&text, chunk, n) == 0)
        ;
    fclose(file);
    return buf_detach(&text, NULL);
}

/* Heap text of a built-in template, or of a file when the name looks like a path. */
static char *find_template(const char *name, struct error *err) {
    struct stat st;
    for (size_t i = 0; i < countof(templates); i++)
        if (strcmp(name, templates[i].name) == 0)
            return xstrdup(templates[i].text);
    if (strchr(name, '/') != NULL)
        return read_template(name, err);
    if (stat(name, &st) == 0)
        error_set(err, KE_INVALID, "invalid template type \"%s\", did you mean ./%s?", name, name);
    else
        error_set(err, KE_INVALID, "invalid template type \"%s\"", name);
    return NULL;
}

static void fill_template(const char *text, const char *script, const char *project,
                          struct buf *out) {
    static const char mark[] = "{{cloud}}";
    const char *at = strstr(text, mark);
    if (at == NULL) {
        buf_append_str(out, text);
        return;
    }
    buf_append(out, text, (size_t)(at - text));
    if (project != NULL && *project)
        buf_printf(out, "\n  cloud: {\n    projectID: %s,\n    name: \"%s\",\n  },", project,
                   script);
    buf_append_str(out, at + sizeof mark - 1);
}

static int create(const char *target, const char *text, struct error *err) {
    FILE *file = fopen(target, "wb");
    if (file == NULL)
        return error_set(err, KE_IO, "open %s: %s", target,
                         errno == ENOENT ? "no such file or directory" : strerror(errno));
    fputs(text, file);
    return fclose(file) == 0 ? 0 : error_set(err, KE_IO, "write %s: %s", target, strerror(errno));
}

static void announce(const char *target, const char *name) {
    if (compat_is_v051())
        printf("Initialized a new %s test script in %s. You can now execute it by running `%s run "
               "%s`.\n",
               program_name, target, program_name, target);
    else
        printf("New script created: %s (%s template).\n", target, name);
}

static int run(const struct command *self, const struct flags *flags, int argc, char **argv) {
    (void)self;
    (void)argc;
    (void)argv;
    const char *target = flags->args.len > 0 ? flags->args.ptr[0] : "script.js";
    const char *name = flags_text(flags, "template");
    struct error err = {0}, why = {0};
    struct stat st;
    struct buf text;
    if (name == NULL)
        name = "minimal";
    if (stat(target, &st) == 0 && !flags_bool(flags, "force", false)) {
        error_set(&err, KE_INVALID,
                  compat_is_v051() ? "%s already exists, please use the `--force` flag if you want "
                                     "overwrite it"
                                   : "%s already exists. Use the `--force` flag to overwrite it",
                  target);
        return command_fail(EXIT_CODE_GENERIC, &err);
    }
    char *chosen = find_template(name, &why);
    if (chosen == NULL) {
        error_set(&err, KE_INVALID, "error retrieving template: %s", why.text);
        return command_fail(EXIT_CODE_GENERIC, &err);
    }
    buf_init(&text, BUF_NO_CAP);
    fill_template(chosen, target, flags_text(flags, "project-id"), &text);
    int rc = create(target, buf_cstr(&text), &err);
    if (rc == 0)
        announce(target, name);
    buf_release(&text);
    free(chosen);
    return rc == 0 ? EXIT_CODE_OK : command_fail(EXIT_CODE_GENERIC, &err);
}

static const struct flag_def own_flags[] = {
    {"force", 'f', FLAG_BOOL, NULL, "overwrite an existing file", NULL},
    {"template", 0, FLAG_TEXT, NULL, "minimal, protocol or browser, or the path of a template",
     NULL},
    {"project-id", 0, FLAG_TEXT, NULL, "put this cloud project into the script", NULL},
    {NULL},
};

const struct command cmd_new = {
    .name = "new",
    .usage = "new [FILE]",
    .summary = "Create a script to start from",
    .about = "Writes a new script, script.js unless another name is given.",
    .examples = "new\nnew --template protocol test.js",
    .max_args = 1,
    .flags = (const struct flag_def *const[]){own_flags, NULL},
    .run = run,
};
