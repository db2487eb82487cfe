//! Resource and scope: what they say about their spans (`ingest.md` 3, "Hoisting"; 4, contexts).

use bailiwick_collector::observation::batch::row::Context;
use bailiwick_collector::observation::report::Reason;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::attributes::{Scalar, Used, resource_hash};
use super::books::{Books, odd};
use super::claims::Claim;
use super::keys::{SERVICE, is_used_of_resources, is_used_of_scopes};
use super::names;

/// Resource and scope of spans.
#[derive(Debug, Clone, Default)]
pub(super) struct Around {
    pub(super) context: Context,
    /// The resource's tenant claim is malformed or reserved.
    pub(super) bad_tenant: bool,
    /// 1.2 (e): the module that the service's name stands for; empty: none.
    pub(super) service_module: String,
    /// 1.2 (b) and (d), by their texts.
    pub(super) module_scope: String,
    pub(super) module_resource: String,
    /// Resource or scope has too many attributes.
    pub(super) refusal: Option<Reason>,
    /// Where the context stands once a span of it has a row.
    pub(super) row: Option<u32>,
}

impl Around {
    /// The module that a row with this context names itself (1.2 a, b, d, e); empty: none.
    pub(super) fn named_module<'m>(&'m self, of_item: &'m str) -> &'m str {
        let named = [of_item, &self.module_scope, &self.module_resource, &self.service_module];
        named.into_iter().find(|name| !name.is_empty()).unwrap_or_default()
    }
}

impl Books<'_> {
    pub(super) fn context_row(&mut self, around: &mut Around) -> u32 {
        *around.row.get_or_insert_with(|| {
            self.table.contexts.push(around.context);
            self.table.contexts.len() as u32 - 1
        })
    }

    pub(super) fn resource(&mut self, resource: Option<&Resource>) -> Around {
        let attributes = resource.map_or(&[][..], |resource| &resource.attributes);
        let (attributes, over) = self.within(attributes);
        if over.is_some() {
            return Around { refusal: over, ..Around::default() };
        }
        let (tenant_keys, module_keys) = (&self.rules.tenancy.attributes, &self.rules.modules.attributes);
        let used = Used::read(attributes, |key| is_used_of_resources(key, self.rules));
        let mut flags = odd(&used);
        let mut around = Around::default();
        let [namespace, name, instance, version] = SERVICE.map(|key| used.get(key).map(Scalar::text));
        around.service_module = self.service_module(namespace.as_deref(), name.as_deref());
        let mut service = |text: Option<String>| self.label(&text.unwrap_or_default(), &mut flags);
        around.context.service_namespace = service(namespace);
        around.context.service_name = service(name);
        around.context.service_instance = service(instance);
        around.context.service_version = service(version);
        around.context.resource_hash = resource_hash(attributes);
        if let Some((_, module)) = used.first(module_keys) {
            let module = self.module_text(module);
            around.context.module_resource = self.label(&module, &mut flags);
            around.module_resource = self.cut(&module).to_owned();
        }
        // "Then `modules.aliases`": what a service is called otherwise stands where its resource could have named it.
        if around.module_resource.is_empty() && self.rules.modules.aliases.contains_key(&around.service_module) {
            let module = self.rules.modules.aliases[&around.service_module].clone();
            around.context.module_resource = self.label(&module, &mut flags);
            around.module_resource = self.cut(&module).to_owned();
        }
        if let Some((_, tenant)) = used.first(tenant_keys) {
            match self.claim(&tenant.text()) {
                Claim::Tenant(tenant) => around.context.tenant_resource = self.table.string(&tenant),
                Claim::Absent => {}
                Claim::Invalid => around.bad_tenant = true,
            }
        }
        self.warn(flags);
        around
    }

    /// 1.2 (e), (f): `service.namespace/service.name` or `service.name`; none for `unknown_service*`.
    fn service_module(&self, namespace: Option<&str>, name: Option<&str>) -> String {
        let (namespace, name) = (namespace.map(|text| self.cut(text)), name.map(|text| self.cut(text)));
        match (namespace, name) {
            (_, None) => String::new(),
            (_, Some(name)) if name.starts_with("unknown_service") => String::new(),
            (Some(namespace), Some(name)) => format!("{namespace}/{name}"),
            (None, Some(name)) => name.to_owned(),
        }
    }

    pub(super) fn scope(&mut self, resource: &Around, scope: Option<&InstrumentationScope>) -> Around {
        let attributes = scope.map_or(&[][..], |scope| &scope.attributes);
        let mut around = resource.clone();
        let (attributes, over) = self.within(attributes);
        if over.is_some() {
            around.refusal = around.refusal.or(over);
            return around;
        }
        let used = Used::read(attributes, |key| is_used_of_scopes(key, self.rules));
        let mut flags = odd(&used);
        around.context.scope_name = self.label(scope.map_or("", |scope| &scope.name), &mut flags);
        if let Some((_, module)) = used.first(&self.rules.modules.attributes) {
            let module = self.module_text(module);
            around.context.module_scope = self.label(&module, &mut flags);
            around.module_scope = self.cut(&module).to_owned();
        }
        // "Then configured maps": of scopes that name none.
        if around.module_scope.is_empty() {
            let name = scope.map_or("", |scope| &scope.name);
            let fit = self.rules.modules.scopes.iter().find(|of| names::fits(&of.scope, name));
            if let Some(of) = fit {
                let module = self.meant(&of.module);
                around.context.module_scope = self.label(&module, &mut flags);
                around.module_scope = self.cut(&module).to_owned();
            }
        }
        self.warn(flags);
        around
    }
}
