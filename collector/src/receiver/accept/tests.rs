//! Connections are judged by their age, their silence and their address, with time as an argument.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use tokio::time::Instant;

use super::*;
use crate::receiver::ConnectionSettings;
use crate::receiver::meters::ConnectionMeters;

/// Defaults: heads 10 s, idle 60 s and 300 s, age 600 s; a spread of 100 is the middle.
fn ageing() -> Ageing {
    Ageing::new(&ConnectionSettings::default(), 100)
}

fn idle(http1: bool, moved_at: u64) -> Vitals {
    Vitals { opened_at: 1, moved_at: Some(moved_at), http1, ..Vitals::default() }
}

#[test]
fn a_connection_without_a_first_request_is_cut_after_the_header_timeout() {
    let silent = Vitals { opened_at: 1, ..Vitals::default() };
    assert_eq!(ageing().verdict(&silent, 1, None), Verdict::Look(1_000));
    assert_eq!(ageing().verdict(&silent, 10_000, None), Verdict::Look(10));
    assert_eq!(ageing().verdict(&silent, 10_001, None), Verdict::Cut);
}

#[test]
fn a_later_head_on_http1_has_the_same_time_from_its_first_byte() {
    let trickling = Vitals { head_since: Some(30_000), ..idle(true, 5_000) };
    assert_eq!(ageing().verdict(&trickling, 39_999, None), Verdict::Look(10));
    assert_eq!(ageing().verdict(&trickling, 40_000, None), Verdict::Cut);
    let pinging = Vitals { http1: false, ..trickling };
    assert_eq!(ageing().verdict(&pinging, 40_000, None), Verdict::Look(1_000));
}

#[test]
fn idle_connections_are_told_to_go_by_their_protocols_time() {
    assert_eq!(ageing().verdict(&idle(true, 5_000), 64_999, None), Verdict::Look(10));
    assert_eq!(ageing().verdict(&idle(true, 5_000), 65_000, None), Verdict::Farewell);
    assert_eq!(ageing().verdict(&idle(false, 5_000), 65_000, None), Verdict::Look(1_000));
    assert_eq!(ageing().verdict(&idle(false, 5_000), 305_000, None), Verdict::Farewell);
    let busy = Vitals { open: 1, ..idle(true, 5_000) };
    assert_eq!(ageing().verdict(&busy, 65_000, None), Verdict::Look(1_000));
}

#[test]
fn an_old_connection_is_told_to_go_and_cut_thirty_seconds_later() {
    let busy = |now| Vitals { opened_at: 1, open: 1, moved_at: Some(now), ..Vitals::default() };
    assert_eq!(ageing().verdict(&busy(600_000), 600_000, None), Verdict::Look(10));
    assert_eq!(ageing().verdict(&busy(600_001), 600_001, None), Verdict::Farewell);
    assert_eq!(ageing().verdict(&busy(630_000), 630_000, Some(600_001)), Verdict::Look(10));
    assert_eq!(ageing().verdict(&busy(630_001), 630_001, Some(600_001)), Verdict::Cut);
}

#[test]
fn ages_are_spread_by_a_tenth_either_way() {
    let busy = Vitals { opened_at: 0, open: 1, moved_at: Some(1), ..Vitals::default() };
    for (spread, age) in [(0, 540_000), (200, 660_000), (9_999, 660_000)] {
        let ageing = Ageing::new(&ConnectionSettings::default(), spread);
        assert_ne!(ageing.verdict(&busy, age - 1, None), Verdict::Farewell);
        assert_eq!(ageing.verdict(&busy, age, None), Verdict::Farewell);
    }
}

#[test]
fn a_client_that_reads_no_answer_is_cut_after_ten_seconds() {
    let unread = Vitals { open: 1, answering: 1, ..idle(false, 5_000) };
    assert_eq!(ageing().verdict(&unread, 14_999, None), Verdict::Look(10));
    assert_eq!(ageing().verdict(&unread, 15_000, None), Verdict::Cut);
    let blocked = Vitals { open: 1, write_blocked_since: Some(7_000), ..idle(true, 6_000) };
    assert_eq!(ageing().verdict(&blocked, 17_000, None), Verdict::Cut);
}

#[test]
fn requests_and_answers_stamp_the_vitals() {
    let activity = Arc::new(Activity::new(Instant::now()));
    activity.bytes_came();
    assert!(activity.vitals().head_since.is_some() && activity.vitals().moved_at.is_none());
    let mut open = activity.begin(true);
    activity.bytes_came();
    let vitals = activity.vitals();
    assert_eq!((vitals.open, vitals.answering, vitals.head_since, vitals.http1), (1, 0, None, true));
    open.answer();
    assert_eq!(activity.vitals().answering, 1);
    drop(open);
    assert_eq!((activity.vitals().open, activity.vitals().answering), (0, 0));
}

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const FAR: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

fn seats(total: usize, per_address: usize) -> Seats {
    Seats::new(SeatsMax { total, per_address }, ConnectionMeters::register())
}

fn guest() -> Arc<Activity> {
    Arc::new(Activity::new(Instant::now()))
}

#[test]
fn one_address_gets_its_share_and_loopback_all() {
    let seats = seats(8, 2);
    let _first = seats.take(FAR, &guest()).expect("a seat");
    let second = seats.take(FAR, &guest()).expect("a seat");
    let mapped = IpAddr::V6(Ipv4Addr::new(192, 0, 2, 1).to_ipv6_mapped());
    assert_eq!(seats.take(mapped, &guest()).expect_err("the third"), NoSeat::Address);
    drop(second);
    let _third = seats.take(FAR, &guest()).expect("the seat that became free");
    let local: Vec<_> = (0..4).map(|_| seats.take(LOOPBACK, &guest()).expect("a seat")).collect();
    assert_eq!(local.len(), 4);
}

#[tokio::test]
async fn the_longest_idle_connection_makes_room() {
    let seats = seats(2, 64);
    let busy = guest();
    let _open = busy.begin(false);
    let _busy = seats.take(LOOPBACK, &busy).expect("a seat");
    let idle = seats.take(LOOPBACK, &guest()).expect("a seat");
    let _newcomer = seats.take(LOOPBACK, &guest()).expect("the seat of the idle one");
    idle.wanted().await;
    // Its seat was given away: leaving must not free the newcomer's.
    drop(idle);
    let other = guest();
    let _open = other.begin(false);
    let _third = seats.take(LOOPBACK, &other).expect("the newcomer is idle too");
    assert_eq!(seats.take(LOOPBACK, &guest()).expect_err("all are busy"), NoSeat::Full);
}
