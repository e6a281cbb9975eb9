//! `make run`: a served API with a demo tenant and one agent run made for a customer.

use clap::Parser as _;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    testkit::demo::run(testkit::demo::Options::parse()).await
}
