//! Compiles the contract with protox: no protoc is needed.

use std::{env, error::Error, fs, path::PathBuf};

const FILES: [&str; 20] = [
    "barometer/customers/v1/customer_service.proto",
    "barometer/customers/v1/cost_service.proto",
    "barometer/customers/v1/loyalty_service.proto",
    "barometer/surveys/v1/survey_service.proto",
    "barometer/surveys/v1/invitation_service.proto",
    "barometer/complaints/v1/complaint_service.proto",
    "barometer/complaints/v1/escalation_service.proto",
    "barometer/complaints/v1/incident_service.proto",
    "barometer/complaints/v1/policy_service.proto",
    "barometer/complaints/v1/privacy_service.proto",
    "barometer/complaints/v1/promise_service.proto",
    "barometer/complaints/v1/follow_up_service.proto",
    "barometer/complaints/v1/webhook_service.proto",
    "barometer/complaints/v1/work_service.proto",
    "barometer/metrics/v1/analysis_service.proto",
    "barometer/metrics/v1/definition_service.proto",
    "barometer/metrics/v1/figure_service.proto",
    "barometer/metrics/v1/metrics_service.proto",
    "barometer/metrics/v1/export_service.proto",
    "barometer/metrics/v1/verification_service.proto",
];

#[allow(clippy::disallowed_methods, reason = "cargo tells build scripts where to write by the environment")]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=barometer");
    let mut compiler = protox::Compiler::new(["."])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(FILES)?;
    // Encoded by the compiler itself: the decoded set has lost the options of our own.
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptor.bin"), compiler.encode_file_descriptor_set())?;
    // Maps are ordered, so that equal messages have equal bytes.
    let mut config = prost_build::Config::new();
    config.enable_type_names().btree_map(["."]);
    tonic_prost_build::configure().compile_fds_with_config(compiler.file_descriptor_set(), config)?;
    Ok(())
}
