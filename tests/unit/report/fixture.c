#include "fixture.h"

#include "base/check.h"

static const struct trend_stat stats[] = {
    {.kind = STAT_AVG, .name = "avg"},
    {.kind = STAT_MAX, .name = "max"},
    {.kind = STAT_PERCENTILE, .p = 0.95, .name = "p(95)"},
};

static double duration_stats[] = {16.419, 250.5, 0.25113}, expected_stats[] = {1500, 1500, 1500},
              plain_stats[] = {1.5, 2, 0.0001234};

static struct summary_threshold duration_thresholds[] = {
    {.source = "p(95)<1000", .ok = true},
    {.source = "p(99.9) < 10 ", .ok = false, .has_value = true, .value = 300},
    {.source = "med<5", .ok = true},
};
static struct summary_threshold counter_thresholds[] = {{.source = "count>=2", .ok = true},
                                                        {.source = "rate>100", .ok = false}};
static struct summary_threshold tagged_thresholds[] = {{.source = "count==0", .ok = true}};

static struct summary_metric metrics[] = {
    {.name = "checks", .type = METRIC_RATE, .rate = {0.75, 3, 1}},
    {.name = "data_received",
     .type = METRIC_COUNTER,
     .contains = METRIC_DATA,
     .counter = {740, 43000}},
    {.name = "http_req_blocked",
     .type = METRIC_TREND,
     .contains = METRIC_TIME,
     .stats = expected_stats},
    {.name = "http_req_duration",
     .type = METRIC_TREND,
     .contains = METRIC_TIME,
     .stats = duration_stats,
     .thresholds = duration_thresholds,
     .n_thresholds = 3},
    {.name = "http_req_duration{expected_response:true}",
     .type = METRIC_TREND,
     .contains = METRIC_TIME,
     .stats = expected_stats},
    {.name = "items",
     .type = METRIC_COUNTER,
     .counter = {2, 0.2},
     .thresholds = counter_thresholds,
     .n_thresholds = 2},
    {.name = "items{kind:x}",
     .type = METRIC_COUNTER,
     .counter = {0, 0},
     .thresholds = tagged_thresholds,
     .n_thresholds = 1},
    {.name = "size", .type = METRIC_TREND, .stats = plain_stats},
    {.name = "vus", .type = METRIC_GAUGE, .gauge = {1, 1, 10}},
};

static struct summary_check all_checks[] = {
    {"status ok", 1, 0}, {"never true", 0, 1}, {"top level", 2, 0}};

static struct check_stats shop_checks[] = {{.name = "status ok", .passes = 1},
                                           {.name = "never true", .fails = 1}},
                          root_checks[] = {{.name = "top level", .passes = 2}};
static struct group_stats cart = {.name = "cart", .path = "::shop::cart"};
static struct group_stats *shop_groups[] = {&cart};
static struct group_stats shop = {.name = "shop",
                                  .path = "::shop",
                                  .groups = shop_groups,
                                  .n_groups = 1,
                                  .checks = shop_checks,
                                  .n_checks = 2};
static struct group_stats *root_groups[] = {&shop};
static const struct group_stats root = {.name = "",
                                        .path = "",
                                        .groups = root_groups,
                                        .n_groups = 1,
                                        .checks = root_checks,
                                        .n_checks = 1};

static struct summary_metric cart_metrics[] = {
    {.name = "checks", .type = METRIC_RATE, .rate = {0, 0, 1}},
    {.name = "items", .type = METRIC_COUNTER, .counter = {1, 0.1}}};
static struct summary_check cart_checks[] = {{"in cart", 0, 1}};
static struct summary_section cart_section = {
    .name = "cart", .metrics = cart_metrics, .n_metrics = 2, .checks = cart_checks, .n_checks = 1};
static struct summary_section shop_section = {.name = "shop",
                                              .metrics = cart_metrics + 1,
                                              .n_metrics = 1,
                                              .groups = &cart_section,
                                              .n_groups = 1};
static struct summary_section first = {.name = "first",
                                       .metrics = cart_metrics + 1,
                                       .n_metrics = 1,
                                       .groups = &shop_section,
                                       .n_groups = 1};

struct summary fixture_summary(enum summary_mode mode) {
    return (struct summary){
        .options = {.mode = mode,
                    .trend_stats = stats,
                    .n_trend_stats = countof(stats),
                    .time_unit = "",
                    .duration_ns = 10 * NS_PER_S},
        .total = {.metrics = metrics,
                  .n_metrics = countof(metrics),
                  .checks = all_checks,
                  .n_checks = countof(all_checks),
                  .groups = &cart_section,
                  .n_groups = 1},
        .scenarios = &first,
        .n_scenarios = 1,
        .root_group = &root,
    };
}
