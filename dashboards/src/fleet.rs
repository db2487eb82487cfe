//! `bw-fleet`: all tenants and modules at a glance, worst first, and whether the books are sound.

use bailiwick_slo::conventions::{
    INGEST_INFLIGHT_BYTES, INGEST_INFLIGHT_BYTES_MAX, INGEST_ITEMS_ACCEPTED_TOTAL, INGEST_ITEMS_RECEIVED_TOTAL,
    INGEST_ITEMS_REJECTED_TOTAL, REQUESTS_TOTAL, SERIES, SERIES_LIMITED_TOTAL,
};

use crate::model::{Dashboard, Panel, Variable};
use crate::panel::{Layout, NO_REQUESTS, NO_SCRAPE, Unit, Words, lines, link_column, over_time, rows, stat, table};
use crate::query::{
    MODULES, TENANTS, duration_quantile, finished_success_ratio, rate, request_rate, success_ratio, sum, unbooked_items,
};

/// The dashboard.
pub(crate) fn dashboard() -> Dashboard {
    let variables = vec![
        Variable::label("tenant", "Tenant", REQUESTS_TOTAL),
        Variable::label("module", "Module", &format!("{REQUESTS_TOTAL}{{{TENANTS}}}")),
    ];
    let words = ["Bailiwick / Fleet", "Which tenant's module is worst off now, and are the books sound?"];
    let mut dashboard = Dashboard::new("bw-fleet", words, variables);
    let layout = Layout::default()
        .put((6, 4), request_stat())
        .put((6, 4), success_stat())
        .put((6, 4), tenants_stat())
        .put((6, 4), unbooked_stat())
        .put((24, 10), worst_first())
        .put((12, 8), rate_by_tenant())
        .put((12, 8), success_by_tenant())
        .heading("Ingest and limits")
        .put((12, 8), items())
        .put((12, 8), refused_items())
        .put((8, 8), series_held())
        .put((8, 8), series_limited())
        .put((8, 8), in_flight());
    dashboard.panels = layout.panels();
    dashboard
}

fn request_stat() -> Panel {
    let words = Words {
        title: "Requests",
        description: "Requests per second of the chosen tenants and modules.",
        unit: Unit::RequestsPerSecond,
        no_value: NO_REQUESTS,
    };
    stat(words, request_rate("", MODULES))
}

fn success_stat() -> Panel {
    let words = Words {
        title: "Success",
        description: "Good by valid requests: client errors are good, cancelled and excluded ones are in neither.",
        unit: Unit::Ratio,
        no_value: NO_REQUESTS,
    };
    stat(words, success_ratio("", MODULES))
}

fn tenants_stat() -> Panel {
    let words = Words {
        title: "Tenants",
        description: "Tenants that hold series, with `_unknown` (no tenant was named) and `_overflow`.",
        unit: Unit::Count,
        no_value: NO_SCRAPE,
    };
    stat(words, format!("count({SERIES}{{{TENANTS}}} > 0)"))
}

fn unbooked_stat() -> Panel {
    let words = Words {
        title: "Unbooked items",
        description: "Items received that are neither accepted, refused nor repeated. Anything but 0 is a bug.",
        unit: Unit::ItemsPerSecond,
        no_value: NO_SCRAPE,
    };
    stat(words, unbooked_items())
}

fn worst_first() -> Panel {
    let words = Words {
        title: "Tenants and modules, worst first",
        description: "The last five minutes. A row leads to its module.",
        unit: Unit::Count,
        no_value: NO_REQUESTS,
    };
    let targets = vec![
        rows(format!("min by (tenant,module) ({})", finished_success_ratio("5m"))),
        rows(request_rate("tenant,module", MODULES)),
        rows(duration_quantile("0.99", "tenant,module")),
    ];
    let columns = [("A", "success", Unit::Ratio), ("B", "rate", Unit::RequestsPerSecond), ("C", "p99", Unit::Seconds)];
    let mut panel = table(words, targets, &columns, ("success", false));
    let url = "/d/bw-module?var-tenant=${__data.fields.tenant}&var-module=${__data.fields.module}\
               &${datasource:queryparam}&${__url_time_range}";
    link_column(&mut panel, "module", "Show this module", url);
    panel
}

fn rate_by_tenant() -> Panel {
    let words = Words {
        title: "Requests by tenant",
        description: "Requests per second.",
        unit: Unit::RequestsPerSecond,
        no_value: NO_REQUESTS,
    };
    lines(words, vec![over_time(request_rate("tenant", MODULES), "{{tenant}}")])
}

fn success_by_tenant() -> Panel {
    let words = Words {
        title: "Success by tenant",
        description: "Good by valid requests of each tenant.",
        unit: Unit::Ratio,
        no_value: NO_REQUESTS,
    };
    lines(words, vec![over_time(success_ratio("tenant", MODULES), "{{tenant}}")])
}

fn items() -> Panel {
    let words = Words {
        title: "Items received and accepted",
        description: "Spans and data points per second. The gap is refusals and repeats.",
        unit: Unit::ItemsPerSecond,
        no_value: NO_SCRAPE,
    };
    let of = |name| sum("signal", &rate(name, TENANTS));
    lines(
        words,
        vec![
            over_time(of(INGEST_ITEMS_RECEIVED_TOTAL), "{{signal}} received"),
            over_time(of(INGEST_ITEMS_ACCEPTED_TOTAL), "{{signal}} accepted"),
        ],
    )
}

fn refused_items() -> Panel {
    let words = Words {
        title: "Items refused",
        description: "Spans and data points per second, by tenant and reason. `too_late` and `future` mean clocks or \
                      long queues at the sender.",
        unit: Unit::ItemsPerSecond,
        no_value: "nothing was refused in this range",
    };
    let expr = sum("tenant,reason", &rate(INGEST_ITEMS_REJECTED_TOTAL, TENANTS));
    lines(words, vec![over_time(expr, "{{tenant}} {{reason}}")])
}

fn series_held() -> Panel {
    let words = Words {
        title: "Series",
        description: "Tenant x module x operation that the books hold.",
        unit: Unit::Count,
        no_value: NO_SCRAPE,
    };
    lines(words, vec![over_time(sum("tenant", &format!("{SERIES}{{{TENANTS}}}")), "{{tenant}}")])
}

fn series_limited() -> Panel {
    let words = Words {
        title: "Requests in overflow",
        description: "Requests per second that a limit sent to `_other` or `_overflow`: counted, but not by name. \
                      Look for ids in operation names.",
        unit: Unit::RequestsPerSecond,
        no_value: "no limit was reached in this range",
    };
    let expr = sum("tenant,reason", &rate(SERIES_LIMITED_TOTAL, TENANTS));
    lines(words, vec![over_time(expr, "{{tenant}} {{reason}}")])
}

fn in_flight() -> Panel {
    let words = Words {
        title: "Bytes in flight",
        description: "Bytes between socket and books, and the most there may be; at the top exports are told to come \
                      back.",
        unit: Unit::Bytes,
        no_value: NO_SCRAPE,
    };
    lines(
        words,
        vec![
            over_time(format!("max({INGEST_INFLIGHT_BYTES})"), "in flight"),
            over_time(format!("max({INGEST_INFLIGHT_BYTES_MAX})"), "maximum"),
        ],
    )
}
