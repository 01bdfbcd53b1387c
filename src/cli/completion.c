#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cli/command.h"

static void print_words(const char *separator) {
    for (const struct command *const *c = commands; *c; c++)
        if (!(*c)->is_hidden)
            printf("%s%s", c == commands ? "" : separator, (*c)->name);
}

static int run(const struct command *self, const struct flags *flags, int argc, char **argv) {
    (void)argc;
    (void)argv;
    (void)self;
    const char *shell = flags->args.len ? flags->args.ptr[0] : "";
    const char *p = program_name;
    if (strcmp(shell, "bash") == 0) {
        printf("_%s() {\n    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W '",
               p);
        print_words(" ");
        printf("' -- \"${COMP_WORDS[1]}\"))\n    else\n        COMPREPLY=($(compgen -f -- "
               "\"${COMP_WORDS[COMP_CWORD]}\"))\n    fi\n}\ncomplete -o filenames -F _%s %s\n",
               p, p);
    } else if (strcmp(shell, "zsh") == 0) {
        printf("#compdef %s\n_%s() {\n    if (( CURRENT == 2 )); then\n        compadd ", p, p);
        print_words(" ");
        printf("\n    else\n        _files\n    fi\n}\ncompdef _%s %s\n", p, p);
    } else if (strcmp(shell, "fish") == 0) {
        printf("complete -c %s -n __fish_use_subcommand -f -a '", p);
        print_words(" ");
        printf("'\n");
    } else {
        printf("Prints a completion script for a shell.\n\nUsage:\n  %s completion bash|zsh|fish\n",
               p);
    }
    return EXIT_CODE_OK;
}

const struct command cmd_completion = {
    .name = "completion",
    .usage = "completion bash|zsh|fish",
    .summary = "Print a completion script for a shell",
    .about =
        "Prints a completion script. Load it with, for example, `source <(kiln completion bash)`.",
    .max_args = -1,
    .run = run,
};
