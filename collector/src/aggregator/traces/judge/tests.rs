//! The rules one by one, on traces of a few spans. What whole traces lead to is told by `tests/scenarios`.

use super::*;
use crate::aggregator::traces::pool::Pool;
use crate::aggregator::traces::span::flag;

const LOCAL: u32 = flag::REMOTE_KNOWN;
const REMOTE: u32 = flag::REMOTE_KNOWN | flag::REMOTE;
const UNKNOWN: u32 = 0;
const ACME: TenantId = 7;

const INTERNAL: u32 = 1;
const SERVER: u32 = 2;
const CLIENT: u32 = 3;

struct World {
    pool: Pool,
    spans: Vec<Span>,
    terms: Terms,
}

impl World {
    fn new() -> Self {
        Self { pool: Pool::default(), spans: Vec::new(), terms: Terms { inherits: true, ..Terms::default() } }
    }

    /// A span with a module of its own.
    fn add(&mut self, (id, parent): (u64, u64), flags: u32, module: &str) -> &mut Self {
        let module = self.pool.take(module);
        let flags = flags | flag::OWN_MODULE;
        self.spans.push(Span { id, parent, module, flags, tenant: ACME, ..Span::EMPTY });
        self
    }

    fn judged(&self, settling: bool) -> Vec<Found> {
        let (mut kin, mut found, mut turns) = (Kin::default(), Vec::new(), Vec::new());
        kin.read(&self.spans);
        judge(&self.spans, &kin, (&self.terms, settling), (&mut found, &mut turns));
        found
    }

    fn rulings(&self, settling: bool) -> Vec<Ruling> {
        self.judged(settling).iter().map(|found| found.ruling).collect()
    }
}

const SERVED: Ruling = Ruling::Entry(EntryType::Server);
const JOB: Ruling = Ruling::Entry(EntryType::Job);
const CALL: Ruling = Ruling::Entry(EntryType::ModuleCall);

#[test]
fn a_server_span_is_a_request_unless_its_own_module_serves_already() {
    let mut world = World::new();
    world.add((1, 0), SERVER, "chat").add((2, 1), SERVER | LOCAL, "chat").add((3, 1), SERVER | REMOTE, "chat");
    world.add((4, 1), SERVER | LOCAL, "rag").add((5, 1), CLIENT | LOCAL, "chat").add((6, 5), SERVER | UNKNOWN, "chat");
    assert_eq!(world.rulings(false), [SERVED, Ruling::Nested, SERVED, SERVED, Ruling::Other, SERVED]);
    world.terms.counts_nested = true;
    assert_eq!(world.rulings(false)[1], SERVED);
}

#[test]
fn a_missing_parent_is_waited_for_where_it_decides() {
    let mut world = World::new();
    world.add((1, 90), SERVER | UNKNOWN, "chat").add((2, 91), SERVER | LOCAL, "chat");
    world.add((3, 92), INTERNAL | REMOTE, "chat").add((4, 93), INTERNAL | LOCAL, "chat");
    world.add((5, 94), INTERNAL | UNKNOWN, "chat").add((6, 0), INTERNAL, "chat");
    let wait = Ruling::Wait;
    assert_eq!(world.rulings(false), [SERVED, wait, wait, wait, wait, JOB]);
    let uncertain = Ruling::Uncertain;
    assert_eq!(world.rulings(true), [SERVED, SERVED, CALL, uncertain, uncertain, JOB]);
    world.terms.counts_uncertain = true;
    assert_eq!(world.rulings(true)[4], CALL);
}

#[test]
fn a_module_is_entered_once() {
    let mut world = World::new();
    world.add((1, 0), SERVER, "chat").add((2, 1), INTERNAL | LOCAL, "rag").add((3, 2), INTERNAL | LOCAL, "rag");
    world.add((4, 3), SERVER | LOCAL, "rag").add((5, 3), INTERNAL | LOCAL, "chat");
    assert_eq!(world.rulings(false), [SERVED, CALL, Ruling::Other, Ruling::Nested, CALL]);
}

#[test]
fn spans_that_the_framework_makes_for_itself_are_never_requests() {
    let mut world = World::new();
    world.add((1, 0), INTERNAL | flag::IGNORED, "chat").add((2, 90), INTERNAL | flag::IGNORED, "chat");
    assert_eq!(world.rulings(true), [Ruling::Other, Ruling::Other]);
}

#[test]
fn a_local_parents_module_comes_before_the_resources() {
    let mut world = World::new();
    world.add((1, 0), SERVER, "chat").add((2, 1), INTERNAL | LOCAL, "platform").add(
        (3, 1),
        INTERNAL | REMOTE,
        "platform",
    );
    world.add((4, 1), INTERNAL | UNKNOWN, "platform").add((5, 1), INTERNAL | UNKNOWN, "platform");
    for span in &mut world.spans[1..] {
        span.flags &= !flag::OWN_MODULE;
    }
    world.spans[4].resource = 9;
    let modules: Vec<_> = world
        .judged(false)
        .iter()
        .map(|found| (world.pool.text(found.module).to_owned(), found.module_fixed))
        .collect();
    let expected = ["chat", "chat", "platform", "chat", "platform"].map(|module| (module.to_owned(), true));
    assert_eq!(modules, expected, "of another resource, or remote by its flags, it is not local");
}

#[test]
fn a_tenant_is_inherited_but_not_through_shared_modules() {
    let mut world = World::new();
    world.add((1, 0), SERVER, "chat").add((2, 1), SERVER | REMOTE, "rag").add((3, 2), INTERNAL | LOCAL, "quota");
    world.add((4, 3), INTERNAL | LOCAL, "rag").add((5, 90), SERVER | REMOTE, "rag");
    for span in &mut world.spans[1..] {
        span.tenant = NO_TENANT;
    }
    let quota = world.pool.take("quota");
    world.terms.shared = vec![quota];
    let tenants = |settling| world.judged(settling).iter().map(|found| found.tenant).collect::<Vec<_>>();
    assert_eq!(tenants(false), [ACME, ACME, ACME, tenants::UNKNOWN, NO_TENANT]);
    assert_eq!(tenants(true)[4], tenants::UNKNOWN);
    let found = world.judged(false);
    assert!(found[1].over_remote && !found[2].over_remote);
    assert_eq!((found[4].ruling, world.rulings(true)[4]), (Ruling::Wait, SERVED), "it waits for its parent's tenant");
}

#[test]
fn a_receiving_client_is_a_request_where_nobody_processes() {
    let mut world = World::new();
    world.add((1, 0), CLIENT | flag::RECEIVE, "trend").add((2, 0), CLIENT | flag::RECEIVE, "trend").add(
        (3, 2),
        5,
        "trend",
    );
    assert_eq!(world.rulings(true)[..2], [Ruling::Other, Ruling::Other]);
    world.terms.counts_receive = true;
    let consumed = Ruling::Entry(EntryType::Consumer);
    assert_eq!(world.rulings(true), [consumed, Ruling::Other, consumed]);
}
