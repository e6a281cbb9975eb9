//! What the demo prints.

use std::io::Write as _;

use serde_json::Value;

use super::Options;
use super::seed::{AGENT, Tenant};

/// Prints the tenant, the run and the curl that makes another one.
pub(super) fn result(options: &Options, tenant: &Tenant, run: &Value) -> anyhow::Result<()> {
    let base = options.base_url();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n  Appstrate is up at {base}\n")?;
    writeln!(out, "  organization  {}  {}", text(&tenant.organization["id"]), text(&tenant.organization["name"]))?;
    writeln!(out, "  application   {}  {}", text(&tenant.application["id"]), text(&tenant.application["name"]))?;
    for end_user in &tenant.end_users {
        writeln!(out, "  end-user      {}  {}", text(&end_user["id"]), text(&end_user["name"]))?;
    }
    writeln!(out, "  API key       {}", tenant.api_key)?;
    writeln!(out, "\n  Run {} for {}: {}", text(&run["id"]), text(&tenant.end_users[0]["name"]), text(&run["status"]))?;
    writeln!(out, "  model         {}", text(&run["modelLabel"]))?;
    writeln!(out, "  output        {}", run["result"]["output"])?;
    writeln!(out, "  state         {}", run["result"]["state"])?;
    writeln!(out, "  cost          {} USD, {} ms", run["cost"], run["duration"])?;
    writeln!(out, "\n  The same again, as that customer:\n")?;
    writeln!(out, "    curl -X POST {base}/api/agents/{AGENT}/run \\")?;
    writeln!(out, "      -H 'Authorization: Bearer {}' \\", tenant.api_key)?;
    writeln!(out, "      -H 'Appstrate-User: {}' \\", text(&tenant.end_users[0]["id"]))?;
    writeln!(out, "      -H 'Content-Type: application/json' -d '{{\"input\":{{\"order_id\":\"ord_42\"}}}}'")?;
    writeln!(out, "\n  and its events, live:\n")?;
    writeln!(
        out,
        "    curl -N '{base}/api/realtime/runs/{}?token={}&endUser={}'",
        text(&run["id"]),
        tenant.api_key,
        text(&tenant.end_users[0]["id"])
    )?;
    writeln!(out, "\n  Reference: {base}/api/docs    Stop with Ctrl-C.\n")?;
    out.flush()?;
    Ok(())
}
