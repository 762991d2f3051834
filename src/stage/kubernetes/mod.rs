//! Kubernetes targets: one client, three ways to a cluster (`sim`, `kind`, `context:NAME`).
