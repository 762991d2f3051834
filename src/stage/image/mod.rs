//! The workload's image, made by breakfix itself: an archive with one layer, under every name a lab needs.
