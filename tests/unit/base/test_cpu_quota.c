/* Processors by the quota of control groups, in folders that look like them. */
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cpu_quota.h"

static char root[64];
static const char *const folders[] = {"a", "a/b", "cpu", "cpu/pod"};
static const char *const files[] = {"cpu.max", "a/cpu.max", "a/b/cpu.max",
                                    "cpu/pod/cpu.cfs_quota_us", "cpu/pod/cpu.cfs_period_us"};

static int setup(void **state) {
    (void)state;
    snprintf(root, sizeof root, "/tmp/kiln-cgroup-XXXXXX");
    assert_non_null(mkdtemp(root));
    for (size_t i = 0; i < countof(folders); i++) {
        char *path = xasprintf("%s/%s", root, folders[i]);
        assert_int_equal(mkdir(path, 0700), 0);
        free(path);
    }
    return 0;
}

static int teardown(void **state) {
    (void)state;
    for (size_t i = 0; i < countof(files); i++) {
        char *path = xasprintf("%s/%s", root, files[i]);
        unlink(path);
        free(path);
    }
    for (size_t i = countof(folders); i-- > 0;) {
        char *path = xasprintf("%s/%s", root, folders[i]);
        rmdir(path);
        free(path);
    }
    return rmdir(root);
}

static void put(const char *name, const char *text) {
    char *path = xasprintf("%s/%s", root, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    free(path);
}

static void no_files_are_no_quota(void **state) {
    (void)state;
    assert_true(cpu_quota(root, "0::/a/b\n") == 0);
    assert_true(cpu_quota(root, "") == 0);
    assert_true(cpu_quota(root, "nonsense") == 0);
    put("a/cpu.max", "max 100000\n");
    assert_true(cpu_quota(root, "0::/a\n") == 0);
    assert_true(cpu_count() >= 1);
}

static void the_least_of_all_groups_above_counts(void **state) {
    (void)state;
    put("a/cpu.max", "50000 100000\n");
    put("a/b/cpu.max", "200000 100000\n");
    assert_true(cpu_quota(root, "0::/a/b\n") == 0.5);
    put("a/b/cpu.max", "20000 100000\n");
    assert_true(cpu_quota(root, "0::/a/b\n") == 0.2);
}

static void a_container_sees_its_own_group_at_the_mount(void **state) {
    (void)state;
    put("cpu.max", "150000 100000\n");
    assert_true(cpu_quota(root, "0::/kubepods/of/the/host\n") == 1.5);
    assert_true(cpu_quota(root, "0::/\n") == 1.5);
    assert_true(cpu_quota(root, "0::/../../x\n") == 1.5);
}

static void version_1_has_two_files(void **state) {
    (void)state;
    put("cpu/pod/cpu.cfs_quota_us", "-1\n");
    put("cpu/pod/cpu.cfs_period_us", "100000\n");
    assert_true(cpu_quota(root, "4:cpu,cpuacct:/pod\n0::/\n") == 0);
    put("cpu/pod/cpu.cfs_quota_us", "20000\n");
    assert_true(cpu_quota(root, "7:memory:/pod\n4:cpuacct,cpu:/pod\n") == 0.2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_files_are_no_quota, setup, teardown),
        cmocka_unit_test_setup_teardown(the_least_of_all_groups_above_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(a_container_sees_its_own_group_at_the_mount, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(version_1_has_two_files, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
