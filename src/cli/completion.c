#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cli/command.h"

/* ---- words */

static void put_commands(struct buf *out, const char *separator) {
    for (const struct command *const *c = commands; *c; c++)
        if (!(*c)->is_hidden)
            buf_printf(out, "%s%s", c == commands ? "" : separator, (*c)->name);
}

static void put_set(struct buf *out, const struct flag_def *set) {
    for (const struct flag_def *d = set; d->name; d++)
        buf_printf(out, " --%s", d->name);
}

/* "--vus --duration …": those of the command, then the global ones. */
static void put_flags(struct buf *out, const struct command *c) {
    for (flag_sets s = c->flags; s && *s; s++)
        put_set(out, *s);
    put_set(out, global_flags);
}

/* ---- shells */

static void put_bash(struct buf *out) {
    const char *p = program_name;
    buf_printf(out,
               "_%s() {\n    local word=\"${COMP_WORDS[COMP_CWORD]}\" flags=\n"
               "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W '",
               p);
    put_commands(out, " ");
    buf_append_str(out, "' -- \"$word\"))\n        return\n    fi\n"
                        "    case \"${COMP_WORDS[1]}\" in\n"
                        "    completion) COMPREPLY=($(compgen -W 'bash zsh fish powershell' -- "
                        "\"$word\")); return ;;\n");
    for (const struct command *const *c = commands; *c; c++) {
        buf_printf(out, "    %s) flags='", (*c)->name);
        put_flags(out, *c);
        buf_append_str(out, "' ;;\n");
    }
    buf_printf(
        out,
        "    esac\n"
        "    case \"$word\" in\n    -*) COMPREPLY=($(compgen -W \"$flags\" -- \"$word\")) ;;\n"
        "    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n    esac\n}\n"
        "complete -o filenames -F _%s %s\n",
        p, p);
}

static void put_zsh(struct buf *out) {
    const char *p = program_name;
    buf_printf(out,
               "#compdef %s\n_%s() {\n    local flags=()\n    if (( CURRENT == 2 )); then\n"
               "        compadd ",
               p, p);
    put_commands(out, " ");
    buf_append_str(out, "\n        return\n    fi\n    case $words[2] in\n"
                        "    completion) compadd bash zsh fish powershell; return ;;\n");
    for (const struct command *const *c = commands; *c; c++) {
        buf_printf(out, "    %s) flags=(", (*c)->name);
        put_flags(out, *c);
        buf_append_str(out, ") ;;\n");
    }
    buf_printf(
        out,
        "    esac\n    if [[ $words[CURRENT] == -* ]]; then\n        compadd -- $flags\n"
        "    else\n        _files\n    fi\n}\n"
        /* in a folder of fpath this file is the function's first call, otherwise it is sourced */
        "if [[ $funcstack[1] == _%s ]]; then _%s; else compdef _%s %s; fi\n",
        p, p, p, p);
}

/* Words of a help text within single quotes of fish and PowerShell. */
static void put_quoted(struct buf *out, const char *text, const char *quote) {
    for (; *text; text++)
        *text == '\'' ? buf_append_str(out, quote) : buf_append_char(out, *text);
}

static void put_fish_flags(struct buf *out, const char *condition, const struct flag_def *set) {
    for (const struct flag_def *d = set; d->name; d++) {
        buf_printf(out, "complete -c %s%s -l %s", program_name, condition, d->name);
        if (d->short_name)
            buf_printf(out, " -s %c", d->short_name);
        buf_printf(out, "%s -d '", d->type == FLAG_BOOL ? "" : " -r");
        put_quoted(out, d->help, "\\'");
        buf_append_str(out, "'\n");
    }
}

static void put_fish(struct buf *out) {
    struct buf condition;
    buf_init(&condition, BUF_NO_CAP);
    for (const struct command *const *c = commands; *c; c++) {
        if (!(*c)->is_hidden)
            buf_printf(out, "complete -c %s -n __fish_use_subcommand -f -a %s -d '%s'\n",
                       program_name, (*c)->name, (*c)->summary);
        buf_reset(&condition);
        buf_printf(&condition, " -n '__fish_seen_subcommand_from %s'", (*c)->name);
        for (flag_sets s = (*c)->flags; s && *s; s++)
            put_fish_flags(out, buf_cstr(&condition), *s);
    }
    buf_printf(out,
               "complete -c %s -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish "
               "powershell'\n",
               program_name);
    put_fish_flags(out, "", global_flags);
    buf_release(&condition);
}

static void put_powershell(struct buf *out) {
    buf_printf(out,
               "Register-ArgumentCompleter -Native -CommandName '%s' -ScriptBlock {\n"
               "    param($wordToComplete, $commandAst, $cursorPosition)\n"
               "    $words = @($commandAst.CommandElements | ForEach-Object { \"$_\" })\n"
               "    $flags = @{\n",
               program_name);
    for (const struct command *const *c = commands; *c; c++) {
        buf_printf(out, "        '%s' = '", (*c)->name);
        put_flags(out, *c);
        buf_append_str(out, "'\n");
    }
    buf_append_str(out, "    }\n    $choices = '");
    put_commands(out, " ");
    buf_append_str(out, "'\n    if ($wordToComplete.StartsWith('-') -and $words.Count -gt 1) {\n"
                        "        $choices = $flags[$words[1]]\n"
                        "    } elseif ($words.Count -gt 2 -or ($words.Count -eq 2 -and "
                        "$wordToComplete -eq '')) {\n        return\n    }\n"
                        "    -split $choices | Where-Object { $_ -like \"$wordToComplete*\" } | "
                        "ForEach-Object {\n"
                        "        [System.Management.Automation.CompletionResult]::new($_, $_, "
                        "'ParameterValue', $_)\n    }\n}\n");
}

static const struct {
    const char *name;
    void (*put)(struct buf *out);
} shells[] = {
    {"bash", put_bash}, {"zsh", put_zsh}, {"fish", put_fish}, {"powershell", put_powershell}};

static int run(const struct command *self, const struct flags *flags, int argc, char **argv) {
    const char *name = flags->args.len > 0 ? flags->args.ptr[0] : "";
    struct buf text;
    (void)argc;
    (void)argv;
    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
        if (strcmp(shells[i].name, name) != 0)
            continue;
        buf_init(&text, BUF_NO_CAP);
        shells[i].put(&text);
        fputs(buf_cstr(&text), stdout);
        buf_release(&text);
        return EXIT_CODE_OK;
    }
    /* as in k6, which shows the command's help */
    printf("%s\n\nUsage:\n  %s %s\n", self->about, program_name, self->usage);
    return EXIT_CODE_OK;
}

const struct command cmd_completion = {
    .name = "completion",
    .usage = "completion bash|zsh|fish|powershell",
    .summary = "Print a completion script for a shell",
    .about = "Prints a script that completes commands, flags and file names.",
    .examples = "completion bash > /etc/bash_completion.d/kiln\n"
                "completion zsh > \"${fpath[1]}/_kiln\"\n"
                "completion fish > ~/.config/fish/completions/kiln.fish\n"
                "completion powershell | Out-String | Invoke-Expression",
    .max_args = -1,
    .run = run,
};
