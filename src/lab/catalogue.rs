//! The labs that breakfix knows.
pub struct Catalogue;
pub struct LabSource;
