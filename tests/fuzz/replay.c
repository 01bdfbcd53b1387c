/* Runs a fuzz target over files and over the files of directories: what libFuzzer's main() does
 * with a corpus, for compilers that have none. Fails when there is nothing to run. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int replay_file(const char *path) {
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        fprintf(stderr, "cannot open '%s'\n", path);
        return -1;
    }
    uint8_t *data = NULL;
    size_t bytes = 0, room = 0, got;
    do {
        if (room - bytes < 65536) {
            room = room * 2 + 65536;
            data = realloc(data, room);
            if (data == NULL)
                abort();
        }
        got = fread(data + bytes, 1, room - bytes, f);
        bytes += got;
    } while (got > 0);
    fclose(f);

    /* An exact-size copy, so that a sanitizer sees a read one past the end. */
    uint8_t *input = malloc(bytes > 0 ? bytes : 1);
    if (input == NULL)
        abort();
    memcpy(input, data, bytes);
    free(data);
    LLVMFuzzerTestOneInput(input, bytes);
    free(input);
    return 1;
}

static int replay_path(const char *path) {
    struct stat st;
    if (stat(path, &st) != 0) {
        fprintf(stderr, "cannot open '%s'\n", path);
        return -1;
    }
    if (!S_ISDIR(st.st_mode))
        return replay_file(path);

    DIR *dir = opendir(path);
    if (dir == NULL)
        return -1;
    int count = 0;
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        char child[4096];
        snprintf(child, sizeof(child), "%s/%s", path, entry->d_name);
        int n = replay_path(child);
        if (n < 0) {
            count = -1;
            break;
        }
        count += n;
    }
    closedir(dir);
    return count;
}

int main(int argc, char **argv) {
    int total = 0;
    for (int i = 1; i < argc; i++) {
        int n = replay_path(argv[i]);
        if (n < 0)
            return 1;
        total += n;
    }
    printf("%d inputs\n", total);
    return total > 0 ? 0 : 1;
}
