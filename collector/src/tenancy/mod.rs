//! Who an item belongs to: tenant ids, where claims about them are read, and how modules are named.

mod id;
mod settings;

pub use id::{BadTenant, TENANT_BYTES_MAX, canonical, check, hyphenated, is_tenant_byte};
pub use settings::{DeclaredModule, ModuleSettings, OnConflict, PrefixModule, ScopeModule, Settings, Source, UuidForm};
