//! Stories of spans and what the figures must be then: `tests/scenarios/*.yaml`, played in virtual time through
//! observer and aggregator. `tests/scenarios/README.md` describes the format.

mod scenarios {
    mod files;
    mod planted;
}
