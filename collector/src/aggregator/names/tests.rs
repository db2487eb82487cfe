//! Admission at each maximum.

use super::super::tenants::Admission;
use super::*;

/// A directory whose tenants are admitted as they are met.
struct Daemon {
    tenants: Tenants,
    names: Names,
}

impl Daemon {
    fn new(limits: &SeriesSettings) -> Self {
        Self { tenants: Tenants::new(limits.tenants_max), names: Names::new(limits.clone()) }
    }

    /// Sends one request and says to which module and operation it went, and why there.
    fn send(&mut self, tenant: &str, module: &str, operation: &str) -> (String, String, Option<&'static str>) {
        let tenant = match self.tenants.admit(tenant) {
            Admission::Known(tenant) | Admission::New(tenant) => tenant,
            Admission::Full => tenants::OVERFLOW,
        };
        let asked = Asked { tenant, module, operation, entry: EntryType::Server, end_ns: 1 };
        let route = self.names.place(&self.tenants, &asked);
        self.names.count_limited(&route);
        let place = route.place;
        let name = self.names.directory.get(place.series as usize).expect("it exists");
        let reason = self.names.limited.get(place.limited as usize).map(|(_, bound, _)| bound.name());
        assert_eq!(name.overflow, reason.is_some(), "overflow series take limited requests only");
        assert_eq!(name.overflow, &*name.operation == OTHER, "an operation `_other` is marked");
        (name.module.to_string(), name.operation.to_string(), reason)
    }
}

fn went(module: &str, operation: &str, reason: Option<&'static str>) -> (String, String, Option<&'static str>) {
    (module.to_owned(), operation.to_owned(), reason)
}

#[test]
fn a_claimed_other_is_the_overflow_series_and_marked() {
    let mut daemon = Daemon::new(&SeriesSettings { operations_top: 1, ..SeriesSettings::default() });
    assert_eq!(daemon.send("acme", "chat", "_other"), went("chat", "_other", Some("reserved")));
    assert_eq!(daemon.send("acme", "chat", "GET /a"), went("chat", "GET /a", None));
    assert_eq!(daemon.send("acme", "chat", "GET /b"), went("chat", "_other", Some("operations")));
    assert_eq!(daemon.send("acme", "chat", "_other"), went("chat", "_other", Some("reserved")));
    assert_eq!(daemon.send("acme", "_other", "GET /a"), went("_other", "_other", Some("reserved")));
    assert_eq!(daemon.send("acme", "_other", "_other"), went("_other", "_other", Some("reserved")));
    assert_eq!(daemon.send("_overflow", "chat", "GET /a"), went("_other", "_other", Some("tenants")));
    assert_eq!(daemon.names.directory.len(), 4, "one overflow series each of chat, acme and `_overflow`");
    assert!(daemon.names.new_modules.iter().all(|new| new.overflow == (&*new.module == OTHER)));
    let limited = daemon.names.limited(&daemon.tenants);
    let rows: Vec<_> = limited.iter().map(|(tenant, reason, count)| (&**tenant, *reason, *count)).collect();
    assert_eq!(rows, [("_overflow", "tenants", 1), ("acme", "operations", 1), ("acme", "reserved", 4)]);
}

#[test]
fn at_the_series_maximum_a_known_module_keeps_its_requests() {
    let mut daemon = Daemon::new(&SeriesSettings { max: 2, ..SeriesSettings::default() });
    daemon.send("acme", "chat", "GET /a");
    daemon.send("acme", "rag", "GET /a");
    assert_eq!(daemon.send("acme", "chat", "GET /b"), went("chat", "_other", Some("series")));
    assert_eq!(daemon.send("acme", "rag", "GET /b"), went("rag", "_other", Some("series")));
    assert_eq!(daemon.send("acme", "new", "GET /a"), went("_other", "_other", Some("series")));
    assert_eq!(daemon.send("globex", "chat", "GET /a"), went("_other", "_other", Some("series")));
    assert_eq!(daemon.send("acme", "chat", "GET /a"), went("chat", "GET /a", None));
    assert_eq!(daemon.names.used().0, 2);
}

#[test]
fn the_maxima_of_a_tenant_leave_other_tenants_alone() {
    let limits = SeriesSettings { per_tenant_max: 3, modules_max: 2, operations_top: 2, ..SeriesSettings::default() };
    let mut daemon = Daemon::new(&limits);
    daemon.send("acme", "chat", "GET /a");
    daemon.send("acme", "chat", "GET /b");
    assert_eq!(daemon.send("acme", "chat", "GET /c"), went("chat", "_other", Some("operations")));
    daemon.send("acme", "rag", "GET /a");
    assert_eq!(daemon.send("acme", "rag", "GET /b"), went("rag", "_other", Some("per_tenant")));
    assert_eq!(daemon.send("acme", "new", "GET /a"), went("_other", "_other", Some("modules")));
    assert_eq!(daemon.send("acme", "new", "_other"), went("_other", "_other", Some("modules")));
    assert_eq!(daemon.send("globex", "new", "GET /c"), went("new", "GET /c", None));
    // The fullest is acme: 3 series, 2 modules, 2 operations of chat.
    assert_eq!(daemon.names.used(), (4, Fullest { series: 3, modules: 2, operations: 2 }));
    let bounds = [Bound::Operations, Bound::PerTenant, Bound::Modules, Bound::Series];
    assert_eq!(bounds.map(|bound| daemon.names.refused(bound)), [1, 1, 2, 0]);
}

#[test]
fn without_room_for_its_first_series_a_module_is_not_opened() {
    let mut daemon = Daemon::new(&SeriesSettings { per_tenant_max: 1, ..SeriesSettings::default() });
    daemon.send("acme", "chat", "_other");
    assert_eq!((daemon.names.used().0, daemon.names.room.of(3).modules), (1, 1), "the opened module takes a place");
    assert_eq!(daemon.send("acme", "chat", "GET /a"), went("chat", "_other", Some("per_tenant")));
    assert_eq!(daemon.send("acme", "rag", "GET /a"), went("_other", "_other", Some("per_tenant")));
    assert_eq!((daemon.names.used().0, daemon.names.room.of(3).modules), (1, 1));
}
