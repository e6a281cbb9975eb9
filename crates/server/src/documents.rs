//! The reference pages that are made from the code: compared here, rewritten with `UPDATE_GENERATED=1`.

use std::fmt::Write as _;
use std::path::Path;

use api::versions::{DEFAULT, RELEASES};
use clap::CommandFactory as _;
use domain::permission::{KeyGrant, Level};
use domain::{Code, Permission, Role};
use wire::run_event::FailureCode;

use crate::env::Cli;

/// Compares a page with the one that is committed.
#[expect(clippy::disallowed_methods, reason = "a test's own switch, not configuration of the server")]
fn is_current(name: &str, page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference").join(name);
    if std::env::var("UPDATE_GENERATED").is_ok() {
        std::fs::write(&path, page).expect("the page can be written");
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == page, "docs/reference/{name} is not what the code says; run the tests with UPDATE_GENERATED=1 and commit it");
}

#[test]
fn generated_configuration_is_current() {
    let mut page = String::from(
        "# Configuration\n\nMade from `crates/server/src/env.rs`. `appstrate serve` reads these variables once, at the start; each is also a flag.\nA bad value stops the start with the variable's name and what it should be.\n\n| variable | flag | default | meaning |\n|---|---|---|---|\n",
    );
    let command = Cli::command();
    let serve = command.find_subcommand("serve").expect("serve exists");
    for argument in serve.get_arguments().filter(|argument| argument.get_env().is_some()) {
        let name = argument.get_env().and_then(|name| name.to_str()).expect("names are ASCII");
        let defaults: Vec<_> =
            argument.get_default_values().iter().filter_map(|value| value.to_str()).map(|value| format!("`{value}`")).collect();
        let default = if defaults.is_empty() || defaults == ["``"] { "–".to_owned() } else { defaults.join(" ") };
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default().replace('\n', " ").replace('|', "\\|");
        writeln!(page, "| `{name}` | `--{}` | {default} | {help} |", argument.get_long().unwrap_or_default())
            .expect("writing to a string works");
    }
    is_current("configuration.md", &page);
}

#[test]
fn generated_errors_are_current() {
    let mut page = String::from(
        "# Errors\n\nMade from `crates/domain/src/code.rs`. Every error is a problem document (RFC 9457) with one of these codes; the server also serves\na page for each under `/docs/errors/<code>`.\n\n| code | status | title | what to do |\n|---|---|---|---|\n",
    );
    for code in Code::ALL {
        writeln!(page, "| `{}` | {} | {} | {} |", code.as_str(), code.status(), code.title(), code.next_step().replace('|', "\\|"))
            .expect("writing to a string works");
    }
    page.push_str(
        "\n## Runs\n\nA run that did not succeed says why in `errorCode` (`crates/wire/src/run_event.rs`), for people in `error`:\n\n",
    );
    for code in FailureCode::ALL {
        writeln!(page, "- `{}`", code.as_str()).expect("writing to a string works");
    }
    is_current("errors.md", &page);
}

#[test]
fn generated_rate_limits_are_current() {
    let mut page = String::from(
        "# Rate limits\n\nMade from `crates/api/src/chain/rate_limit`. Each operation of the API belongs to one class, named in its text and as `x-rate-limit` in the\nOpenAPI document. `RATE_LIMITS` changes the sizes.\n\n| class | requests in 60 s | ceiling | counted by | routes |\n|---|---|---|---|---|\n",
    );
    let limits = api::RateLimits::default();
    for class in api::Class::ALL {
        let (size, _) = limits.size(class, None);
        assert_eq!(size.quota.window.as_secs(), 60);
        let ceiling = size.ceiling.map_or_else(|| "–".to_owned(), |ceiling| ceiling.limit.to_string());
        writeln!(page, "| `{}` | {} | {ceiling} | {} | {} |", class.as_str(), size.quota.limit, class.counted_by(), class.routes())
            .expect("writing to a string works");
    }
    page.push_str(
        "\nAn identity is a signed-in user, or an API key: the end-users for whom a key calls share its budget. An address is one of IPv4, or a\n/64 network of IPv6. A path counts as it is, with the ids in it; a route is all paths of one form.\n\n\
         A window opens with the first request and ends after its time; then the whole quota is there again. A refused request costs nothing.\n\n\
         ## Headers\n\nEvery response tells how the tightest of its quotas stands:\n\n```http\nRateLimit: limit=20, remaining=18, reset=45\nRateLimit-Policy: 20;w=60\n```\n\n\
         18 more requests are allowed; in 45 s all 20 are again. From the API version 2026-11-21 on the same is written as\n`RateLimit: \"run\";r=18;t=45` and `RateLimit-Policy: \"run\";q=20;w=60`; a ceiling is called `run-ceiling`.\n\n\
         Beyond the quota the answer is 429 `rate_limited`, with the seconds to wait in `Retry-After` and in `retryAfter` of the body.\n\n\
         ## Credentials\n\nRequests whose credentials are wrong count against their address, as `public`. An address that has used this up is not heard\nuntil its window ends; credentials that were good from there before are, and so are sessions that were opened from there. Requests\nwithout any credential count against the address too, apart from those: who asks bare keeps nobody else from being heard.\n\nA good credential pays for its own refusals, also for those of malformed requests: nothing of them counts against the address.\n",
    );
    is_current("rate-limits.md", &page);
}

#[test]
fn generated_versions_are_current() {
    let mut page = String::from(
        "# API versions\n\nMade from `crates/api/src/versions`. A version is a date. A request names the one it speaks in `Appstrate-Version`; without the\nheader the organization's pin counts, which is set when the organization is made, and without an organization the default. Every response\nsays in the same header which version it is in.\n\nWithin a version things are only added: routes, optional members of requests, members of responses, headers. Whatever else changes comes\nwith a new version, and the old one goes on answering as before. The OpenAPI document of each is at `/api/openapi.json?version=<date>`.\n\nA version that will end answers with `Deprecation` (RFC 9745), `Sunset` (RFC 8594, six months ahead or more) and a `Link` to its notes under\n`/docs/versions`. From that day on a release of the server may leave it out; its date is then refused with `unsupported_api_version`, and\norganizations that are pinned to it speak the default.\n",
    );
    for release in RELEASES.iter().rev() {
        let default = if release.version == DEFAULT { " (default)" } else { "" };
        writeln!(page, "\n## {}{default}\n", release.version.as_str()).expect("writing to a string works");
        if let Some(deprecation) = release.deprecation {
            let (since, sunset) = (deprecation.since, deprecation.sunset);
            writeln!(page, "Deprecated since {since}; may be withdrawn from {sunset} on.\n").expect("writing to a string works");
        }
        for note in release.notes {
            writeln!(page, "- {note}").expect("writing to a string works");
        }
    }
    is_current("versions.md", &page);
}

#[test]
fn generated_permissions_are_current() {
    let mut page = String::from(
        "# Permissions\n\nMade from `crates/domain/src/permission.rs`. A call may do what its role may do, cut down by the scopes of its key and, with\n`Appstrate-User`, by the end-user column.\n\n| permission | level | owner | admin | member | viewer | API key | end-user |\n|---|---|---|---|---|---|---|---|\n",
    );
    for permission in Permission::ALL {
        let rule = permission.rule();
        let level = match rule.level {
            Level::Organization => "organization",
            Level::Application => "application",
        };
        let roles: Vec<&str> = Role::ALL.into_iter().map(|role| if permission.is_held_by(role) { "yes" } else { "–" }).collect();
        let key = match rule.key {
            KeyGrant::Never => "never",
            KeyGrant::ByName => "by name",
            KeyGrant::Default => "default",
        };
        let end_user = if rule.end_user { "yes" } else { "–" };
        writeln!(page, "| `{}` | {level} | {} | {key} | {end_user} |", rule.name, roles.join(" | ")).expect("writing to a string works");
    }
    is_current("permissions.md", &page);
}
