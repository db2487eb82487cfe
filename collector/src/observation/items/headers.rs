//! Resource and scope: what they say about the items that follow.

use bailiwick_slo::conventions::TENANT_SYSTEM;

use super::super::batch::row::{Context, Evidence};
use super::super::claims::Claim;
use super::super::fields::{label, oddity_flags};
use super::super::report::{Position, Reason};
use super::super::slots;
use super::{ItemWalk, Surroundings};
use crate::otlp::header::Header;

impl ItemWalk<'_> {
    pub(in crate::observation) fn enter_resource(&mut self, header: &Header<'_, '_>) {
        self.position =
            Position { resource: self.position.resource.wrapping_add(1), scope: u32::MAX, item: 0, point: 0 };
        self.around = Surroundings::default();
        self.around.resource_refusal = self.read_resource(header).err();
    }

    pub(in crate::observation) fn enter_scope(&mut self, header: &Header<'_, '_>) {
        self.position = Position { scope: self.position.scope.wrapping_add(1), item: 0, ..self.position };
        self.around.row = None;
        self.around.scope_name = 0;
        self.around.module_scope = 0;
        self.around.scope_refusal = self.read_scope(header).err();
    }

    fn read_resource(&mut self, header: &Header<'_, '_>) -> Result<(), Reason> {
        if header.over_attributes {
            return Err(Reason::TooManyAttributes);
        }
        let mut flags = 0;
        let mut labels = [0; 4];
        let keys = [slots::SERVICE_NAMESPACE, slots::SERVICE_NAME, slots::SERVICE_INSTANCE, slots::SERVICE_VERSION];
        for (place, key) in keys.into_iter().enumerate() {
            if let Some(value) = header.attributes.get(key) {
                labels[place] = self.label(value, &mut flags).map_err(|_| Reason::InvalidUtf8)?;
            }
        }
        let [service_namespace, service_name, service_instance, service_version] = labels;
        let mut resource =
            Context { service_namespace, service_name, service_instance, service_version, ..Context::default() };
        resource.resource_hash = header.hash;
        if let Some((_, value)) = header.attributes.first_of(slots::MODULE, slots::GROUP) {
            resource.module_resource = self.module(value, &mut flags).map_err(|_| Reason::InvalidUtf8)?;
        }
        if resource.module_resource == 0 {
            resource.module_resource = self.alias_of_service(&resource, &mut flags).map_err(|_| Reason::InvalidUtf8)?;
        }
        if let Some((_, value)) = header.attributes.first_of(slots::TENANT, slots::GROUP) {
            match self.tenant(value).map_err(|_| Reason::InvalidUtf8)? {
                Claim::Tenant(index) => resource.tenant_resource = index,
                Claim::Absent => {}
                Claim::Invalid => {
                    self.around.resource = resource;
                    self.around.bad_tenant = !self.is_system(value, &Evidence::default());
                    if !self.around.bad_tenant {
                        resource.tenant_resource = self.builder.own_string(TENANT_SYSTEM);
                    }
                }
            }
        }
        self.around.resource = resource;
        self.warn(flags | oddity_flags(header.attributes.oddities()));
        Ok(())
    }

    fn read_scope(&mut self, header: &Header<'_, '_>) -> Result<(), Reason> {
        if header.over_attributes {
            return Err(Reason::TooManyAttributes);
        }
        let mut flags = 0;
        self.around.scope_name =
            label(self.builder, self.rules, header.name, &mut flags).map_err(|_| Reason::InvalidUtf8)?;
        if let Some((_, value)) = header.attributes.first_of(slots::MODULE, slots::GROUP) {
            self.around.module_scope = self.module(value, &mut flags).map_err(|_| Reason::InvalidUtf8)?;
        }
        if self.around.module_scope == 0
            && let Some(module) = self.scratch.module_by_scope(header.name)
        {
            let module = label(self.builder, self.rules, module.as_bytes(), &mut flags);
            self.around.module_scope = module.map_err(|_| Reason::InvalidUtf8)?;
        }
        self.warn(flags | oddity_flags(header.attributes.oddities()));
        Ok(())
    }
}
