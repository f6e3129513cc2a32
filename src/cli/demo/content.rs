//! The files of the demo: the example and its maps, as they were when this program was built.

/// Where a file goes, and its text.
pub(super) type File = (&'static str, &'static str);

macro_rules! files {
    ($($to:literal = $from:literal),* $(,)?) => { &[$(($to, include_str!(concat!("../../../", $from)))),*] };
}

/// Everything but `tablemap.yaml`.
pub(super) static FILES: &[File] = files! {
    "README.md" = "examples/project-operations/README.md",
    "seed/dataverse.sql" = "examples/project-operations/seed/dataverse.sql",
    "seed/finance.sql" = "examples/project-operations/seed/finance.sql",
    "seed/late-contract.sql" = "examples/project-operations/seed/late-contract.sql",
    "steps/1-confirm.sql" = "examples/project-operations/steps/1-confirm.sql",
    "steps/6-post.sql" = "examples/project-operations/steps/6-post.sql",
    "steps/direct-create.sql" = "examples/project-operations/steps/direct-create.sql",
    "steps/direct-delete.sql" = "examples/project-operations/steps/direct-delete.sql",
    "steps/direct-voucher.sql" = "examples/project-operations/steps/direct-voucher.sql",
    "steps/fix-long-name.sql" = "examples/project-operations/steps/fix-long-name.sql",
    "expected/check.sql" = "examples/project-operations/expected/check.sql",
    "schemas/dataverse.schema.yaml" = "maps/project-operations/schemas/dataverse.schema.yaml",
    "schemas/finance.schema.yaml" = "maps/project-operations/schemas/finance.schema.yaml",
    "maps/billed-sales-at-confirmation.tmap" = "maps/project-operations/billed-sales-at-confirmation.tmap",
    "maps/billed-sales-connections.tmap" = "maps/project-operations/billed-sales-connections.tmap",
    "maps/customers-v3-accounts.tmap" = "maps/project-operations/customers-v3-accounts.tmap",
    "maps/import-from-staging.tmap" = "maps/project-operations/import-from-staging.tmap",
    "maps/posting-back-to-staging.tmap" = "maps/project-operations/posting-back-to-staging.tmap",
    "maps/project-invoice-proposal-v2.tmap" = "maps/project-operations/project-invoice-proposal-v2.tmap",
    "maps/project-operations-integration-actuals.tmap" =
        "maps/project-operations/project-operations-integration-actuals.tmap",
    "maps/project-operations-transaction-relationships.tmap" =
        "maps/project-operations/project-operations-transaction-relationships.tmap",
    "maps/unbilled-sales-reversal.tmap" = "maps/project-operations/unbilled-sales-reversal.tmap",
};

/// `tablemap.yaml`, with schemas and maps beside it.
pub(super) fn project() -> String {
    include_str!("../../../examples/project-operations/tablemap.yaml")
        .replace("../../maps/project-operations/schemas/", "schemas/")
        .replace("../../maps/project-operations/", "maps/")
}

/// The text of a file.
pub(super) fn text(name: &str) -> &'static str {
    FILES.iter().find(|(to, _)| *to == name).map_or("", |(_, text)| text)
}
