//! The contract of Barometer: messages, clients and servers generated from the `.proto` files beside this crate, which
//! are its manual.

#![allow(
    clippy::disallowed_methods,
    clippy::large_enum_variant,
    clippy::doc_lazy_continuation,
    reason = "generated code"
)]

/// The encoded `FileDescriptorSet` of the whole contract, with comments and options.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.bin"));

/// What all services share.
pub mod common {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("barometer.common.v1");
    }
}

/// The customers service.
pub mod customers {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("barometer.customers.v1");
    }
}

/// The surveys service.
pub mod surveys {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("barometer.surveys.v1");
    }
}

/// The complaints service.
pub mod complaints {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("barometer.complaints.v1");
    }
}

/// The metrics service.
pub mod metrics {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("barometer.metrics.v1");
    }
}
