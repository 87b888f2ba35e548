//! What the fuzz targets check: the same functions as the library's own tests.

#[path = "../../tests/checks/mod.rs"]
pub mod checks;
