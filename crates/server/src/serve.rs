//! `appstrate serve`: opens what the server stands on, wires it, and serves until told to stop.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use api::chain::address::TrustedProxies;
use audit::SigningKey;
use auth::Passwords;
use connect::{Outbound, SealWithMaster, SystemProxies, Vault, catalogue};
use domain::{Clock, IdSource, RandomIds, SystemClock};
use runs::preflight::Limits;
use store::{Nodes, RateLimiter, RedisOptions, Store};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::env::{Role, Serve};
use crate::isolation::{self, Isolation};
use crate::{accounts, http, keys, logs, upkeep};

pub(crate) fn main(options: Serve) -> ExitCode {
    if let Err(error) = logs::start(&options.log_level, options.log_json) {
        return fail(&error);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let served = runtime.context("could not start the runtime").and_then(|runtime| runtime.block_on(serve(options)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

#[expect(clippy::print_stderr, reason = "the last words of a process that could not start; logging may not stand yet")]
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("appstrate: {error:#}");
    ExitCode::FAILURE
}

async fn serve(options: Serve) -> anyhow::Result<()> {
    let limits = Limits {
        platform: options.platform_run_limits.parse().context("PLATFORM_RUN_LIMITS must be a JSON object of known limits")?,
        inline: options.inline_run_limits.parse().context("INLINE_RUN_LIMITS must be a JSON object of known limits")?,
    };
    let rate_limits: api::RateLimits =
        options.rate_limits.parse().context("RATE_LIMITS must be a JSON object of classes and their sizes")?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let limiter = limiter(&options, clock.clone()).await?;
    let ids: Arc<dyn IdSource> = Arc::new(RandomIds);
    std::fs::create_dir_all(&options.data_dir)
        .with_context(|| format!("could not make the data folder {} (DATA_DIR)", options.data_dir.display()))?;

    let allow = options.outbound_allow.parse().context("OUTBOUND_ALLOW is wrong")?;
    let client = net::Client::new(net::Options::new(allow)).context("could not set up TLS")?;
    let outbound = outbound(&options, client.clone())?;
    let mailer = accounts::mailer(&options.mail, client.clone(), Arc::clone(&clock), Arc::clone(&ids))?;
    let logins = accounts::logins(&options.login, client, options.app_url())?;
    let trusted_origins = accounts::trusted_origins(&options.trusted_origins)?;

    let beside = || format!("sqlite://{}?mode=rwc", options.data_dir.join("appstrate.db").display()).into();
    let url = options.database_url.clone().unwrap_or_else(beside);
    let embedded = url.expose().starts_with("sqlite:");
    let masters = keys::master_keys(options.connection_encryption_key.as_ref(), &options.data_dir, embedded, &*ids)?;
    let sealer = Arc::new(SealWithMaster::new(masters.clone()));
    let nodes = match &options.redis_url {
        Some(url) => Nodes::Redis(url.clone()),
        None if embedded => Nodes::Alone,
        None => Nodes::Database,
    };
    let store_options = store::Options {
        clock,
        ids,
        follow_database_clock: !embedded,
        nodes,
        ..store::Options::new(url, options.data_dir.join("blobs"), sealer.clone())
    };
    let store = Store::connect(store_options).await.context("could not open the database (DATABASE_URL, REDIS_URL)")?;
    let vault = Vault::open(store.clone(), masters).await.context("could not open the vault (CONNECTION_ENCRYPTION_KEY)")?;
    let signing_key = SigningKey::open_or_create(&store, &*sealer).await.context("could not open the signing key of the audit log")?;
    catalogue::sync_system(&store).await.context("could not register the system packages")?;

    let Isolation { source, unavailable } = isolation::prepare(options.run_adapter, options.toolhost_path.clone()).await?;
    let listener = match options.role {
        Role::All | Role::Api => Some(bind(&options).await?),
        Role::Worker => None,
    };

    let shutdown = CancellationToken::new();
    let tasks = TaskTracker::new();
    tasks.spawn(upkeep::upkeep(store.clone(), upkeep::EVERY, shutdown.clone()));
    if matches!(options.role, Role::All | Role::Worker) && unavailable.is_none() {
        let launcher =
            runs::Launcher::new(std::env::current_exe().context("could not find this binary's own path")?, options.log_level.clone());
        let parts = runs::Parts {
            store: store.clone(),
            pool: runs::Pool::new(Arc::new(launcher), options.sidecar_pool_size),
            sandbox: source,
            credentials: runs::VaultCredentials::new(store.clone(), vault.clone(), Arc::clone(outbound.proxies())),
        };
        let worker = runs::Options {
            concurrency: options.worker_concurrency,
            outbound_allow: options.outbound_allow.clone(),
            ..runs::Options::default()
        };
        let (service, _) = runs::Service::new(worker, parts);
        tasks.spawn(service.run(shutdown.clone()));
    }
    if let Some(listener) = listener {
        let app = api::App::new(api::Parts {
            store: store.clone(),
            passwords: Passwords::new(auth::password::Options::default()),
            vault,
            limits,
            limiter,
            outbound,
            mailer,
            logins,
            background: tasks.clone(),
            options: api::Options {
                app_url: options.app_url(),
                trusted_origins,
                trusted_proxies: TrustedProxies(options.trust_proxy),
                rate_limits,
                sandbox_unavailable: unavailable,
                deprecations: Vec::new(),
                streams: api::sse::Timing::default(),
                body_patience: api::app::DEFAULT_BODY_PATIENCE,
                metrics_token: options.metrics_token.clone(),
            },
        });
        tasks.spawn(http::serve(listener, api::router(app), http::Patience::default(), shutdown.clone()));
    }
    tasks.close();
    // Not one of the tasks: it seals what the others have written last.
    let sealing = CancellationToken::new();
    let sealer = matches!(options.role, Role::All | Role::Worker).then(|| {
        let sealer = audit::Sealer::new(store.clone(), signing_key, audit::Options::default());
        tokio::spawn(sealer.run(sealing.clone()))
    });

    wait_for_signal().await?;
    tracing::info!("stopping");
    shutdown.cancel();
    tasks.wait().await;
    sealing.cancel();
    if let Some(sealer) = sealer {
        sealer.await.context("the sealer of the audit log broke off")?;
    }
    store.close().await.context("could not close the database")?;
    Ok(())
}

/// What counts requests. A Redis that does not answer now stops nothing.
async fn limiter(options: &Serve, clock: Arc<dyn Clock>) -> anyhow::Result<RateLimiter> {
    match options.redis_url.clone() {
        Some(url) => {
            let timeout = Duration::from_millis(options.redis_timeout_ms);
            let redis = RedisOptions { timeout, ..RedisOptions::new(url) };
            RateLimiter::on_redis(redis, clock).await.context("REDIS_URL leads nowhere")
        }
        None => Ok(RateLimiter::in_memory(clock)),
    }
}

/// The server's own calls, with the operator's proxies.
fn outbound(options: &Serve, client: net::Client) -> anyhow::Result<Outbound> {
    let proxies = SystemProxies::parse(&options.system_proxies, &client).context("SYSTEM_PROXIES cannot be used")?;
    client.vet(net::Purpose::Proxies, &options.proxy_test_url).context("PROXY_TEST_URL cannot be used")?;
    Ok(Outbound::new(client, Arc::new(proxies), options.proxy_test_url.clone()))
}

async fn bind(options: &Serve) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::new(options.listen_address, options.port);
    let listener = TcpListener::bind(address).await.with_context(|| format!("could not listen on {address} (PORT, LISTEN_ADDRESS)"))?;
    tracing::info!(address = %listener.local_addr()?, app_url = %options.app_url(), "serving");
    Ok(listener)
}

async fn wait_for_signal() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("could not listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("could not listen for SIGINT")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
