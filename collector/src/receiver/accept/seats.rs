//! Who is connected: a seat for each connection, over all listeners. When none is left, the connection that has been
//! idle longest makes room.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::activity::Activity;
use crate::receiver::meters::ConnectionMeters;

/// Maxima of connections.
#[derive(Debug, Clone, Copy)]
pub struct SeatsMax {
    /// In all.
    pub total: usize,
    /// Of one address that is not loopback.
    pub per_address: usize,
}

/// How full the house is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occupancy {
    /// Connections.
    pub taken: u64,
    /// The most that there may be.
    pub max: u64,
    /// Connections turned away, or closed to make room.
    pub refused: u64,
}

/// Why a connection was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoSeat {
    /// All are taken and none is idle.
    Full,
    /// Its address has as many as one may have.
    Address,
}

/// The seats of all listeners. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Seats(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    table: Mutex<Table>,
    max: SeatsMax,
    meters: ConnectionMeters,
    refused: AtomicU64,
}

#[derive(Debug, Default)]
struct Table {
    taken: HashMap<u64, Taken>,
    by_address: HashMap<IpAddr, usize>,
    next: u64,
}

#[derive(Debug)]
struct Taken {
    address: IpAddr,
    activity: Arc<Activity>,
    leave: Arc<Notify>,
}

/// A connection's seat; free again on drop.
#[derive(Debug)]
pub struct Seat {
    seats: Seats,
    number: u64,
    leave: Arc<Notify>,
}

impl Seat {
    /// Resolves when the connection has to make room.
    pub async fn wanted(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.lock().remove(self.number);
        self.seats.show();
    }
}

impl Seats {
    /// That many seats.
    #[must_use]
    pub fn new(max: SeatsMax, meters: ConnectionMeters) -> Self {
        Self(Arc::new(Shared { table: Mutex::default(), max, meters, refused: AtomicU64::new(0) }))
    }

    /// Takes a seat for a connection from this address.
    ///
    /// # Errors
    /// Why there is none.
    pub fn take(&self, address: IpAddr, activity: &Arc<Activity>) -> Result<Seat, NoSeat> {
        let address = address.to_canonical();
        let seat = self.try_take(address, activity);
        if seat.is_err() {
            self.0.refused.fetch_add(1, Ordering::Relaxed);
        }
        match &seat {
            Ok(_) => self.show(),
            Err(NoSeat::Full) => self.0.meters.refused_max.increment(1),
            Err(NoSeat::Address) => self.0.meters.refused_per_address.increment(1),
        }
        seat
    }

    /// Seats that are taken, seats that there are, and how many found none or had to make room.
    #[must_use]
    pub fn occupancy(&self) -> Occupancy {
        let Shared { max, refused, .. } = &*self.0;
        let taken = self.lock().taken.len();
        Occupancy { taken: taken as u64, max: max.total as u64, refused: refused.load(Ordering::Relaxed) }
    }

    fn try_take(&self, address: IpAddr, activity: &Arc<Activity>) -> Result<Seat, NoSeat> {
        let mut table = self.lock();
        let of_address = table.by_address.get(&address).copied().unwrap_or_default();
        if !address.is_loopback() && of_address >= self.0.max.per_address {
            return Err(NoSeat::Address);
        }
        if table.taken.len() >= self.0.max.total {
            if !table.evict_idle() {
                return Err(NoSeat::Full);
            }
            self.0.meters.evicted.increment(1);
            self.0.refused.fetch_add(1, Ordering::Relaxed);
        }
        let number = table.next;
        table.next += 1;
        let leave = Arc::new(Notify::new());
        *table.by_address.entry(address).or_default() += 1;
        table.taken.insert(number, Taken { address, activity: Arc::clone(activity), leave: Arc::clone(&leave) });
        Ok(Seat { seats: self.clone(), number, leave })
    }

    /// Asks the connection that has been idle longest to go: descriptors or memory ran out.
    pub fn make_room(&self) {
        if self.lock().evict_idle() {
            self.0.meters.evicted.increment(1);
            self.0.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The figures that belong to the seats.
    #[must_use]
    pub fn meters(&self) -> &ConnectionMeters {
        &self.0.meters
    }

    fn show(&self) {
        let taken = u32::try_from(self.lock().taken.len()).unwrap_or(u32::MAX);
        self.0.meters.open.set(taken);
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // The table is whole between any two statements of ours.
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn evict_idle(&mut self) -> bool {
        let idle = self.taken.iter().filter_map(|(number, taken)| {
            let vitals = taken.activity.vitals();
            (vitals.open == 0).then_some((vitals.moved_at.unwrap_or(vitals.opened_at), *number))
        });
        let Some((_, number)) = idle.min() else { return false };
        if let Some(taken) = self.taken.get(&number) {
            taken.leave.notify_one();
        }
        self.remove(number);
        true
    }

    fn remove(&mut self, number: u64) {
        let Some(taken) = self.taken.remove(&number) else { return };
        if let Some(count) = self.by_address.get_mut(&taken.address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&taken.address);
            }
        }
    }
}
