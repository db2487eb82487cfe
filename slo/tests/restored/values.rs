//! Values that may not be are not read, and those of definitions come back as they were.

use bailiwick_slo::engine::sums::Sums;
use bailiwick_slo::exact::{Decimal, Fraction, Quotient};
use bailiwick_slo::saved::Saved;
use bailiwick_slo::spec::{Calendar, CalendarUnit, Slo, Target, TimeSpan};
use bailiwick_slo::wire::{Read, Reader, Writer};

use crate::prng::Random;
use crate::{definitions, world};

fn bytes_of(value: &impl Saved) -> Vec<u8> {
    let mut to = Writer::default();
    value.save(&mut to);
    to.into_bytes()
}

fn read<T: Saved>(bytes: &[u8]) -> Read<T> {
    T::load(&mut Reader::new(bytes))
}

fn why<T: Saved + std::fmt::Debug>(bytes: &[u8]) -> &'static str {
    read::<T>(bytes).expect_err("it cannot be").what
}

#[test]
fn what_cannot_be_is_not_read() {
    assert!(why::<Fraction>(&[7, 0]).contains("nought below"));
    assert!(why::<Quotient>(&[0, 0, 7, 0, 0]).contains("nought below"));
    assert!(why::<Decimal>(&[2, 19]).contains("18 places"));
    assert!(why::<Target>(&bytes_of(&100_000_000_u64)).contains("one or more"));
    assert!(why::<TimeSpan>(&bytes_of(&u64::MAX)).contains("ten thousand years"));
    assert_eq!(read::<Fraction>(&[144, 1, 10]), Ok(Fraction::new(72, 5)), "in lowest terms");
}

#[test]
fn a_calendar_is_in_a_zone_that_is_known_and_its_windows_have_a_length() {
    let zone = jiff::tz::TimeZoneDatabase::bundled().get("Europe/Berlin").expect("a zone");
    let start = jiff::civil::date(2026, 1, 31).at(23, 59, 59, 0);
    let calendar = Calendar { start, count: 3, unit: CalendarUnit::Month, zone };
    let bytes = bytes_of(&calendar);
    assert_eq!(read(&bytes), Ok(calendar));
    let at = bytes.windows(6).position(|name| name == b"Europe").expect("the name of its zone");
    let mut elsewhere = bytes.clone();
    elsewhere[at] = b'%';
    assert!(why::<Calendar>(&elsewhere).contains("time zone"));
    // Its zone has a length of a byte before it, its unit and its count one each.
    let mut never = bytes;
    never[at - 3] = 0;
    assert!(why::<Calendar>(&never).contains("no length"));
}

#[test]
fn definitions_of_every_kind_come_back_as_they_were() {
    let mut random = Random::new(9);
    for _ in 0..60 {
        let slos = world::slos_of(&definitions::documents(&mut random));
        let bytes = bytes_of(&slos);
        assert_eq!(read::<Vec<Slo>>(&bytes), Ok(slos));
    }
    for text in [include_str!("../compiled/everything.yaml"), include_str!("../compiled/composite.yaml")] {
        let slos =
            bailiwick_slo::document::load(&[("a.yaml", text)], &bailiwick_slo::document::Context::default()).slos;
        assert!(!slos.is_empty());
        assert_eq!(read::<Vec<Slo>>(&bytes_of(&slos)), Ok(slos));
    }
}

#[test]
fn sums_below_nought_come_back() {
    let sums = Sums { bad: u128::MAX, total: u64::MAX, raw_bad: 1 << 63, ticks: u32::MAX, ..Sums::default() };
    assert_eq!(read(&bytes_of(&sums)), Ok(sums));
}
