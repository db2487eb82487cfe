//! `bw-module`: one module of one tenant (or several): how much, how good, how fast, and which operation it is.

use bailiwick_slo::conventions::REQUESTS_TOTAL;

use crate::model::{Dashboard, Panel, Variable};
use crate::panel::{Layout, NO_REQUESTS, Unit, Words, heat_map, lines, over_time, rows, stat, table, with_exemplars};
use crate::query::{
    MODULES, OPERATIONS, TENANTS, duration_buckets, duration_quantile, finished_quantile, finished_success_ratio,
    request_rate, success_ratio,
};

/// The dashboard.
pub(crate) fn dashboard() -> Dashboard {
    let variables = vec![
        Variable::label("tenant", "Tenant", REQUESTS_TOTAL),
        Variable::label("module", "Module", &format!("{REQUESTS_TOTAL}{{{TENANTS}}}")),
        Variable::label("operation", "Operation", &format!("{REQUESTS_TOTAL}{{{MODULES}}}")),
    ];
    let words = ["Bailiwick / Module", "How is this module doing, and which operation is to blame?"];
    let mut dashboard = Dashboard::new("bw-module", words, variables);
    let layout = Layout::default()
        .put((8, 4), request_stat())
        .put((8, 4), success_stat())
        .put((8, 4), slowest_stat())
        .put((12, 8), outcomes())
        .put((12, 8), success_windows())
        .put((12, 9), durations())
        .put((12, 9), duration_map())
        .heading("Operations")
        .put((24, 10), operations())
        .put((24, 8), rate_by_operation());
    dashboard.panels = layout.panels();
    dashboard
}

fn request_stat() -> Panel {
    let words = Words {
        title: "Requests",
        description: "Requests per second of the chosen operations.",
        unit: Unit::RequestsPerSecond,
        no_value: NO_REQUESTS,
    };
    stat(words, request_rate("", OPERATIONS))
}

fn success_stat() -> Panel {
    let words = Words {
        title: "Success",
        description: "Good by valid requests of the chosen operations.",
        unit: Unit::Ratio,
        no_value: NO_REQUESTS,
    };
    stat(words, success_ratio("", OPERATIONS))
}

fn slowest_stat() -> Panel {
    let words = Words {
        title: "Slowest operation",
        description: "The largest p99 of the chosen operations over five minutes, as Bailiwick computed it.",
        unit: Unit::Seconds,
        no_value: "no successful requests in five minutes",
    };
    stat(words, finished_quantile("0.99", ""))
}

fn outcomes() -> Panel {
    let words = Words {
        title: "Requests by outcome",
        description: "Requests per second. `client_error` is the caller's fault, `cancelled` a caller who left.",
        unit: Unit::RequestsPerSecond,
        no_value: NO_REQUESTS,
    };
    lines(words, vec![with_exemplars(request_rate("outcome", OPERATIONS), "{{outcome}}")])
}

fn success_windows() -> Panel {
    let words = Words {
        title: "Success by window",
        description: "Good by valid requests over five minutes, an hour and a day, as Bailiwick computed them.",
        unit: Unit::Ratio,
        no_value: NO_REQUESTS,
    };
    let of = |window, legend| over_time(finished_success_ratio(window), legend);
    lines(
        words,
        vec![
            of("5m", "{{tenant}} {{module}} 5m"),
            of("1h", "{{tenant}} {{module}} 1h"),
            of("1d", "{{tenant}} {{module}} 1d"),
        ],
    )
}

fn durations() -> Panel {
    let words = Words {
        title: "Duration",
        description: "Quantiles of successful requests, from buckets: between two bounds they are interpolated. Points \
                      lead to traces.",
        unit: Unit::Seconds,
        no_value: NO_REQUESTS,
    };
    let of = |quantile, legend| with_exemplars(duration_quantile(quantile, ""), legend);
    lines(words, vec![of("0.5", "p50"), of("0.9", "p90"), of("0.99", "p99")])
}

fn duration_map() -> Panel {
    let words = Words {
        title: "Durations over time",
        description: "Successful requests by duration bucket. Two bands are two kinds of requests.",
        unit: Unit::Seconds,
        no_value: NO_REQUESTS,
    };
    heat_map(words, duration_buckets())
}

fn operations() -> Panel {
    let words = Words {
        title: "Operations, worst first",
        description: "Rate and success over the rate interval; quantiles over five minutes, the worst tenant's.",
        unit: Unit::Count,
        no_value: NO_REQUESTS,
    };
    let targets = vec![
        rows(success_ratio("module,operation", OPERATIONS)),
        rows(request_rate("module,operation", OPERATIONS)),
        rows(finished_quantile("0.5", "module,operation")),
        rows(finished_quantile("0.9", "module,operation")),
        rows(finished_quantile("0.99", "module,operation")),
    ];
    let columns = [
        ("A", "success", Unit::Ratio),
        ("B", "rate", Unit::RequestsPerSecond),
        ("C", "p50", Unit::Seconds),
        ("D", "p90", Unit::Seconds),
        ("E", "p99", Unit::Seconds),
    ];
    table(words, targets, &columns, ("success", false))
}

fn rate_by_operation() -> Panel {
    let words = Words {
        title: "Requests by operation",
        description: "Requests per second. `_other` is what a limit left no name for.",
        unit: Unit::RequestsPerSecond,
        no_value: NO_REQUESTS,
    };
    lines(words, vec![over_time(request_rate("operation", OPERATIONS), "{{operation}}")])
}
