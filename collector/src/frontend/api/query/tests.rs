//! Parameters of lists.

use bailiwick_slo::outcome::OutcomeCounts;

use super::*;
use crate::aggregator::snapshot::SlotCounts;
use crate::frontend::view::row::Names;

fn read(query: &str) -> Result<ListQuery, Problem> {
    ListQuery::read(&Asked::of(&format!("/v1/series?{query}")), SERIES)
}

fn code(query: &str) -> Code {
    read(query).expect_err("a problem").code
}

#[test]
fn without_a_word_it_is_five_minutes_by_name_and_a_hundred_rows() {
    let query = read("").expect("fine");
    assert_eq!((query.window, query.cut.limit, query.slots), (Window::FiveMinutes, 100, None));
    assert_eq!(query.sort, Sort { key: Key::Name, descending: false });
}

#[test]
fn each_bad_value_is_a_problem_of_its_own() {
    for query in
        ["window=2m", "step=1m", "sort=color", "sort=-name", "limit=0", "limit=x", "from=1700000000", "type=client"]
    {
        assert_eq!(code(query), Code::BadRequest, "{query}");
    }
    assert_eq!(code("step=10s&from=1700000300&to=1700000300"), Code::BadRequest);
    assert_eq!(code("step=10s&from=yesterday"), Code::BadRequest);
    assert_eq!(code("limit=1001"), Code::LimitExceeded);
    assert_eq!(code("step=10s&limit=101"), Code::LimitExceeded);
    assert_eq!(code("step=10s&window=1d"), Code::Invalid);
    assert_eq!(code("cursor=abc"), Code::BadCursor);
    assert_eq!(code("tennant=acme"), Code::UnknownParameter);
}

#[test]
fn what_is_judged_has_windows_from_five_minutes_up() {
    let judged = |query: &str| ListQuery::of_judged(&Asked::of(&format!("/v1/coverage?{query}")));
    assert_eq!(judged("").expect("fine").window, Window::FiveMinutes);
    assert_eq!(judged("window=1d").expect("fine").window, Window::Day);
    assert_eq!(judged("window=1m").expect_err("a problem").code, Code::BadRequest);
    assert_eq!(judged("sort=name").expect_err("a problem").code, Code::UnknownParameter);
}

#[test]
fn a_cursor_of_other_filters_is_refused() {
    let acme = read("tenant=acme").expect("fine").cut.fingerprint;
    let text = cursor::encode(&Position { rank: 0, names: vec!["acme".into()] }, acme);
    assert!(read(&format!("tenant=acme&limit=5&cursor={text}")).expect("fine").cut.after.is_some());
    assert_eq!(code(&format!("tenant=globex&cursor={text}")), Code::BadCursor);
    assert_eq!(code(&format!("tenant=acme&sort=requests&cursor={text}")), Code::BadCursor);
    assert_eq!(code(&format!("tenant=acme&type=job&cursor={text}")), Code::BadCursor);
}

#[test]
fn slots_end_with_the_data_and_reach_back_65_minutes() {
    // 1,700,000,000 s is the begin of slot 170,000,000.
    let data_through_ns = 1_700_000_000_000_000_000;
    let slots = |query: &str| {
        let query = read(query).expect("fine");
        query.slots.expect("asked for").slots(query.window, data_through_ns)
    };
    assert_eq!(slots("step=10s"), (Slot(169_999_970), Slot(170_000_000)));
    assert_eq!(slots("step=10s&from=1699999945&to=1699999970"), (Slot(169_999_995), Slot(169_999_997)));
    assert_eq!(slots("step=10s&from=0"), (Slot(170_000_000 - 390), Slot(170_000_000)));
    assert_eq!(slots("step=10s&from=2023-11-14T22:13:00Z&to=1800000000"), (Slot(169_999_998), Slot(170_000_000)));
}

#[test]
fn the_worst_ratio_comes_first_and_rows_without_one_last() {
    let row = |outcomes: [u64; 5]| Row {
        names: Names { tenant: "a".into(), module: "b".into(), operation: "c".into(), entry: "server" },
        series: vec![0],
        modules: vec![0],
        counts: SlotCounts { outcomes: OutcomeCounts(outcomes), spans: 0 },
        messages: 0,
        extra_weights: [0, 0],
        total: OutcomeCounts::default(),
        first_seen_ns: 0,
        last_seen_ns: 0,
        overflow: false,
    };
    let (bad, good, none) = (row([1, 1, 0, 0, 0]), row([9, 0, 0, 0, 0]), row([0; 5]));
    let up = read("sort=success_ratio").expect("fine").sort;
    assert!(up.rank(&bad) < up.rank(&good) && up.rank(&good) < up.rank(&none));
    let down = read("sort=-success_ratio").expect("fine").sort;
    assert!(down.rank(&good) < down.rank(&bad) && down.rank(&bad) < down.rank(&none));
    let most = read("sort=-requests").expect("fine").sort;
    assert!(most.rank(&good) < most.rank(&bad) && most.rank(&bad) < most.rank(&none));
}
