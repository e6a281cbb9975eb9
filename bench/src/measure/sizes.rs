//! What is shipped, in bytes on disk.

use testkit::system::binaries;

use crate::report::{Bar, Report};

#[expect(clippy::cast_precision_loss, reason = "megabytes for people")]
pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let folder = binaries()?;
    for name in ["appstrate", "appstrate-toolhost"] {
        let bytes = std::fs::metadata(folder.join(name))?.len();
        report.value(&format!("`{name}`"), bytes as f64 / 1e6, "MB", Bar::None);
    }
    Ok(())
}
