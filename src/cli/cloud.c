/* Commands of k6 that need a service which kiln does not use: known, so that they can say so. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

static int refuse(const struct command *self, const struct flags *flags, int argc, char **argv) {
    struct error err;
    (void)flags;
    (void)argc;
    (void)argv;
    error_set(&err, KE_INVALID,
              "`%s %s` needs a cloud service, which kiln does not use: run the test with `%s run`",
              program_name, self->name, program_name);
    return command_fail(EXIT_CODE_GENERIC, &err);
}

static int list_nothing(const struct command *self, const struct flags *flags, int argc,
                        char **argv) {
    struct error err;
    (void)argc;
    (void)argv;
    if (flags->args.len == 0) {
        printf("%s has no extension commands.\n", program_name);
        return EXIT_CODE_OK;
    }
    error_set(&err, KE_INVALID, "unknown command \"%s\" for \"%s %s\"", flags->args.ptr[0],
              program_name, self->name);
    return command_fail(EXIT_CODE_GENERIC, &err);
}

static int refuse_login(const struct command *self, const struct flags *flags, int argc,
                        char **argv) {
    struct error err;
    bool is_influxdb = argc > 0 && strcmp(argv[0], "influxdb") == 0;
    if (!is_influxdb)
        return refuse(self, flags, argc, argv);
    error_set(&err, KE_INVALID,
              "`%s login influxdb` is not there: give the address with the output, `--out "
              "influxdb=http://user:password@host:8086/database`, or with K6_INFLUXDB_ADDR, "
              "K6_INFLUXDB_USERNAME and K6_INFLUXDB_PASSWORD",
              program_name);
    return command_fail(EXIT_CODE_GENERIC, &err);
}

const struct command cmd_login = {
    .name = "login",
    .usage = "login",
    .summary = "Not available: there is no service to log in to",
    .about = "Accepted for scripts that call it; tests run on this machine only.",
    .takes_raw_args = true,
    .is_hidden = true,
    .run = refuse_login,
};

const struct command cmd_cloud = {
    .name = "cloud",
    .usage = "cloud",
    .summary = "Not available: tests run on this machine",
    .about = "Accepted for scripts that call it; tests run on this machine only.",
    .max_args = -1,
    .takes_raw_args = true,
    .run = refuse,
};

const struct command cmd_x = {
    .name = "x",
    .usage = "x",
    .summary = "Extension commands (there are none)",
    .about = "Extensions of k6 are Go code and cannot be loaded.",
    .max_args = -1,
    .run = list_nothing,
};
