//! Measures the product as it is built beside this program, on the bars of ARCHITECTURE.md, and prints one Markdown table.
//!
//! Nothing here fails because something is slow: a miss is a line of the table. `bench/README.md` holds the last results.

mod machine;
mod measure;
mod report;
mod world;

use clap::Parser;

use crate::measure::{accept, costs, first_request, memory, reads, sandbox_start, sidecar, sizes, start_up};
use crate::report::Report;
use crate::world::Database;

/// Settings of the bench.
#[derive(Clone, Debug, Parser)]
struct Options {
    /// Small numbers, to see whether the bench itself works. Not for reading.
    #[arg(long)]
    quick: bool,
    /// Only these sections.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Section>,
    /// A PostgreSQL on which databases may be made; `scripts/services.sh` sets it. Left out: SQLite only.
    #[arg(long, env = "TEST_DATABASE_URL", hide_env_values = true)]
    postgres: Option<String>,
    /// A Redis on which limits are counted; `scripts/services.sh` sets it. Left out: in memory only.
    #[arg(long, env = "TEST_REDIS_URL", hide_env_values = true)]
    redis: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Section {
    Sizes,
    StartUp,
    Sandbox,
    Accept,
    FirstRequest,
    Sidecar,
    Memory,
    Reads,
    Costs,
}

impl Options {
    /// How many, in full or with `--quick`.
    fn count(&self, full: usize, quick: usize) -> usize {
        if self.quick { quick } else { full }
    }

    fn wants(&self, section: Section) -> bool {
        self.only.is_empty() || self.only.contains(&section)
    }

    fn databases(&self) -> Vec<Database> {
        let postgres = self.postgres.iter().map(|url| Database::Postgres { server: url.clone() });
        std::iter::once(Database::Sqlite).chain(postgres).collect()
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let mut report = Report::begin(&options)?;
    let failed = [
        report.section("Binary sizes", options.wants(Section::Sizes), async |report| sizes::measure(report)).await,
        report.section("Start-up", options.wants(Section::StartUp), async |report| start_up::measure(&options, report).await).await,
        report
            .section("Sandbox ready", options.wants(Section::Sandbox), async |report| sandbox_start::measure(&options, report).await)
            .await,
        report.section("Accept a run", options.wants(Section::Accept), async |report| accept::measure(&options, report).await).await,
        report
            .section("Accept → first model request", options.wants(Section::FirstRequest), async |report| {
                first_request::measure(&options, report).await
            })
            .await,
        report.section("Sidecar", options.wants(Section::Sidecar), async |report| sidecar::measure(&options, report).await).await,
        report.section("Memory", options.wants(Section::Memory), async |report| memory::measure(&options, report).await).await,
        report.section("Read API", options.wants(Section::Reads), async |report| reads::measure(&options, report).await).await,
        report.section("Costs", options.wants(Section::Costs), async |report| costs::measure(&options, report).await).await,
    ];
    report.end()?;
    anyhow::ensure!(failed.iter().all(|failed| !failed), "a section could not be measured; see above");
    Ok(())
}
